#!/usr/bin/env bash
# order.sh - who comes first, who waits for whom, who goes down with whom, and in which order all of them stop.
# shellcheck source=tests/lib/box.sh disable=SC2016,SC2119
. "${0%/*}/../lib/box.sh"

go() { touch "/proc/$BOX_PID/root/run/$1"; }
ungo() { rm -f "/proc/$BOX_PID/root/run/$1"; }
place() { grep -n "^$1\$" "$BOX/root/trace" | head -n 1 | cut -d: -f1; }
# before A B: the line A of the trace stands before the line B.
before() { [[ $(place "$1") && $(place "$2") && $(place "$1") -lt $(place "$2") ]]; }

# A service that says when it goes, which takes a while, so that neighbours can be seen to overlap; and, before it
# is run, that it comes.
script serve <<-'EOF'
	name=$1
	trap 'echo stops $name >>/trace; sleep 0.15; echo gone $name >>/trace; exit 0' TERM
	sleep inf &
	wait $!
EOF
# server NAME < the lines of its [Unit]
server() {
	local name=$1
	{
		echo '[Unit]'
		cat
		printf '[Service]\nExecStartPre=/bin/sh -c "echo up %s >>/trace"\nExecStart=/bin/serve %s\nHealthStartupInterval=20ms\nHealthInterval=50ms\n' "$name" "$name"
	} | unit "$name"
}

# --- what runs -----------------------------------------------------------------------------------------------

# db is up at once and ready later: when a file is there.
server db </dev/null
unit db.service.d/health.conf <<-'EOF'
	[Service]
	HealthFile=/run/db.ok
	HealthStartPeriod=1min
	HealthRetries=1
	ExecStartPost=/bin/sh -c 'echo ready db >>/trace'
EOF
server app <<<'Requires=db.service'
server proxy <<<'Requires=app.service'
server fan1 <<<'Requires=db.service'
server fan2 <<<'Requires=db.service'
server bound <<<'BindsTo=db.service'
server hopes <<<'Wants=db.service'
server late <<<'After=db.service'
server early <<<'Before=dawn.service'
unit dawn.service.d/x.conf <<-'EOF'
	[Unit]
	Description=comes after early
EOF
server dawn </dev/null

# A requirement that fails, and is mended later.
unit broken <<-'EOF'
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	ExecStart=/bin/test -e /run/mended
EOF
server needy <<<'Requires=broken.service'
server needier <<<'Requires=needy.service'
server easy <<<'Wants=broken.service nowhere.service'

server whole </dev/null
server part <<<'PartOf=whole.service'

server day </dev/null
server night <<<'Conflicts=day.service'

server strict <<<'Requisite=broken.service'

server unlucky <<<'OnFailure=alarm.service'
unit unlucky.service.d/x.conf <<-'EOF'
	[Service]
	ExecStart=
	ExecStart=/bin/false
EOF
server alarm </dev/null
server lucky <<<'OnSuccess=feast.service'
unit lucky.service.d/x.conf <<-'EOF'
	[Service]
	ExecStart=
	ExecStart=/bin/true
EOF
server feast </dev/null
unit quiet.service.d/x.conf <<-'EOF'
	[Unit]
	OnFailure=idler.service
EOF
server quiet </dev/null
server idler </dev/null

server first </dev/null
server second </dev/null
printf 'StopPriority=10\n' >>"$BOX/units/first.service"

# A circle, and one that leans on it.
server a <<<'Requires=b.service'
server b <<<'After=c.service'
server c <<<'Requires=a.service'
server leans <<<'Wants=a.service'

# --- up ------------------------------------------------------------------------------------------------------

boot
wait_for '[[ $(states db app proxy) = "starting waiting waiting" ]]'
check "a requirement that is not ready: those that need it wait" \
	"$(states app proxy fan1 bound hopes late)" = "waiting waiting waiting waiting waiting waiting"
check "each says for whom, and why" "$(status_of app why)" = "waits for db, which is starting"
check "and so on along the chain" "$(status_of proxy why)" = "waits for app, which is itself waiting"
check "waiting_on names it" "$(status_of app waiting_on)" = db
check "a unit that only comes after it says so" "$(status_of late why)" = "comes after db, which is still on its way"
check_status 5 "wait does not take waiting for being ready" ctl wait --timeout=100ms app
check_fails "none of them was started" grep -qE '^up (app|proxy|fan1|fan2|bound|hopes|late)$' "$BOX/root/trace"
go db.ok
check_ok "when it is ready they come up by themselves" ctl wait --timeout=10 db app proxy fan1 fan2 bound hopes late
for name in app fan1 fan2 bound hopes late; do
	check_ok "$name started after db was ready" before "ready db" "up $name"
done
check_ok "proxy started after app" before "up app" "up proxy"
wait_for 'before "up early" "up dawn"'
passed "Before= is After= turned round"

wait_for '[[ $(states broken needy needier) = "failed waiting waiting" ]]'
check "a requirement that failed: the dependent waits, with the reason" "$(status_of needy why)" = "waits for broken, which has failed"
check "and its dependent, too" "$(status_of needier why)" = "waits for needy, which is itself waiting"
wait_for '[[ $(status_of easy state) = running ]]'
passed "Wants= goes on without what has failed, and without what is not there"
check "Requisite= fails at once where it is not ready" "$(status_of strict state): $(status_of strict why)" = \
	"failed: broken was not ready, and Requisite= wants it to be; start it first"
check_status 4 "start of a unit that waits for a failed one does not hang" ctl start needy
go mended
check_ok "the requirement is mended and started by hand" ctl start broken
check_ok "the others go on by themselves" ctl wait --timeout=10 needy needier
check_ok "Requisite= is satisfied now" ctl start strict

wait_for '[[ $(states unlucky alarm lucky feast) = "failed running done running" ]]'
passed "OnFailure= and OnSuccess= start what they name"
check "what is only named there is not started without a reason" "$(status_of idler state)" = inactive

# --- one falls -----------------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # wait_for reads them
app=$(status_of app pid) bound=$(status_of bound pid)
ungo db.ok
wait_for '[[ $(status_of db state) = unhealthy ]]'
wait_for '[[ $(status_of bound pid) != "$bound" ]]'
check "a requirement that turns sick leaves those that run alone" "$(states app) $(status_of app pid)" = "running $app"
wait_for '[[ $(status_of bound state) = waiting ]]'
check "BindsTo= goes down with it and waits" "$(status_of bound why)" = "waits for db, which is unhealthy"
go db.ok
check_ok "and comes back with it" ctl wait --timeout=10 bound
check "while the others still run as before" "$(status_of app pid)" = "$app"
ctl kill -s KILL db
wait_for '[[ $(status_of db state) = failed ]]'
check "a requirement that dies leaves those that run alone" "$(status_of app pid)" = "$app"
wait_for '[[ $(status_of bound state) = waiting ]]'
passed "BindsTo= does not outlive it"
ctl start db
check_ok "started again, it takes BindsTo= up again" ctl wait --timeout=10 bound

# --- by hand -------------------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # wait_for reads them
whole=$(status_of whole pid) part=$(status_of part pid)
ctl restart whole
wait_for '[[ $(status_of part state) = running && $(status_of part pid) != "$part" ]]'
check "PartOf=: a restart by hand is one of the part" "$([[ $(status_of whole pid) != "$whole" ]] && status_of part restarts)" = 0
ctl stop whole
wait_for '[[ $(states whole part) = "inactive inactive" ]]'
passed "PartOf=: so is a stop"

ctl start night
wait_for '[[ $(states day night) = "inactive running" ]]'
passed "Conflicts= stops the other one"
ctl start day
wait_for '[[ $(states day night) = "running inactive" ]]'
passed "and the other way round"

: >"$BOX/root/trace"
check_ok "a requirement is stopped by hand" ctl stop db
wait_for '[[ $(states db app proxy fan1 fan2) = "inactive inactive inactive inactive inactive" ]]'
passed "those that need it go with it"
check "what only wanted it stays" "$(states hopes late)" = "running running"
check_ok "proxy was gone before app was asked" before "gone proxy" "stops app"
for name in app fan1 fan2 bound; do
	check_ok "$name was gone before db was asked" before "gone $name" "stops db"
done
ctl start proxy
check "a start takes its requirements along" "$(states db app proxy fan1)" = "ready running running inactive"

# --- a circle ------------------------------------------------------------------------------------------------

check_ok "a circle is told once, as a path" grep -qE '(a needs b|b needs c|c needs a).* (needs|comes after) ' "$BOX/console"
check "its units do not start" "$(states a b c | tr ' ' '\n' | sort -u)" = failed
check_ok "status tells the path" grep -qE 'a.*b.*c' <<<"$(status_of a why)"
check "the others do" "$(states leans easy)" = "running running"

# --- down ----------------------------------------------------------------------------------------------------

ctl start fan1 fan2
: >"$BOX/root/trace"
down
check "the container ends with 0" "$STATUS" = 0
check_ok "down: proxy was gone before app was asked" before "gone proxy" "stops app"
for name in app fan1 fan2; do
	check_ok "down: $name was gone before db was asked" before "gone $name" "stops db"
done
check_ok "those that do not lean on each other stop at the same time: fan2 beside fan1" before "stops fan2" "gone fan1"
check_ok "and the other way round" before "stops fan1" "gone fan2"
check_ok "StopPriority=: the higher number goes first" before "gone first" "stops second"
done_testing
