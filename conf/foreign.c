/* foreign.c - names that systemd and Podman know and we do not take, with the reason; pure. */
#include <string.h>

#include "conf/settings.h"

/* why NULL: it would make sense, and this version cannot do it. A name that ends in '*' stands for all that begin so. */
static const struct { const char *section, *names, *why; } foreign[] = {
	/* systemd.unit(5) */
	{ "Unit", "Upholds PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom StopWhenUnneeded RefuseManualStart "
		  "RefuseManualStop Condition* Assert* StartLimitAction", NULL },
	{ "Unit", "FailureAction SuccessAction FailureActionExitStatus SuccessActionExitStatus",
	  "Critical=yes ends the container with the unit, and ExitPolicy= in coppice.conf with any" },
	{ "Unit", "JobTimeout* JobRunningTimeoutSec", "TimeoutStartSec= bounds a start, and waiting for others has no bound" },
	{ "Unit", "OnFailureJobMode OnSuccessJobMode OnFailureIsolate IgnoreOnIsolate AllowIsolate CollectMode SourcePath",
	  "there are no jobs and no isolation" },
	{ "Unit", "DefaultDependencies SurviveFinalKillSignal", "there are no units of early boot and late shutdown" },
	{ "Unit", "RequiresMountsFor WantsMountsFor", "mounts are made before any unit starts, by [Boot] Mount= and Volume=" },
	{ "Unit", "JoinsNamespaceOf", "RootFrom= shares the root of another unit" },
	{ "Unit", "RebootArgument", "a container has no firmware" },
	{ "Unit", "StartLimitInterval", "it is called StartLimitIntervalSec= today" },

	/* systemd.service(5) */
	{ "Service", "ExitType TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode RestartMode RootDirectoryStartOnly Sockets "
		     "FileDescriptorStore* OpenFile OOMPolicy NonBlocking RefreshOnReload", NULL },
	{ "Service", "GuessMainPID", "a forking daemon says PIDFile=" },
	{ "Service", "BusName", "there is no D-Bus; use Type=notify" },
	{ "Service", "USBFunction*", "a container is no USB device" },
	{ "Service", "PermissionsStartOnly", "the prefix + runs a single command as root" },
	/* systemd.exec(5) */
	{ "Service", "RootImage RootImageOptions RootImagePolicy RootHash* RootVerity MountImages Extension* MountImagePolicy",
	  "Image= names the image, and ExtraLayers= what lies over it" },
	{ "Service", "RootEphemeral", "Overlay=ephemeral is the default" },
	{ "Service", "MountAPIVFS BindLogSockets", "every root gets /proc, /sys, /dev and the notify socket" },
	{ "Service", "PrivateMounts MountFlags", "every unit with a root has mounts of its own" },
	{ "Service", "DynamicUser SecureBits KeyringMode CoredumpFilter TimerSlackNSec Personality CPUScheduling* CPUAffinity NUMA* IOScheduling* "
		     "ProtectSystem ProtectHome ProtectHostname* ProtectClock ProtectKernel* ProtectControlGroups ProtectProc ProcSubset Private* "
		     "ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths Restrict* LockPersonality MemoryDenyWriteExecute RemoveIPC "
		     "SystemCall* RuntimeDirectory* StateDirectory* CacheDirectory* LogsDirectory* ConfigurationDirectory* TimeoutCleanSec "
		     "UnsetEnvironment StandardInputText StandardInputData LogLevelMax LogExtraFields LogRateLimit* LogFilterPatterns "
		     "LoadCredential* ImportCredential SetCredential* ExecSearchPath DeviceAllow DevicePolicy", NULL },
	{ "Service", "PAMName UtmpIdentifier UtmpMode", "nobody logs in to a container" },
	{ "Service", "AppArmorProfile SELinuxContext Smack*", "the container's manager confines all of it" },
	{ "Service", "SyslogIdentifier SyslogFacility SyslogLevel* LogNamespace", "output is known by the unit's name, and there is no syslog" },
	{ "Service", "TTY*", "a unit has no terminal; use exec -t" },
	{ "Service", "NetworkNamespacePath IPCNamespacePath", "one container has one network" },
	/* systemd.resource-control(5) */
	{ "Service", "Memory* CPUQuota* CPUWeight StartupCPUWeight CPUAccounting TasksMax TasksAccounting IO* AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes "
		     "StartupMemory* StartupIO* ManagedOOM* Startup*", NULL },
	{ "Service", "Slice Delegate* DisableControllers CPUShares BlockIO*", "units are not arranged in a tree of control groups" },
	{ "Service", "IPAccounting IPAddress* IPIngress* IPEgress* NFTSet SocketBind* BPFProgram", "one container has one network; filter at its edge" },

	/* systemd.unit(5), [Install] */
	{ "Install", "Alias UpheldBy DefaultInstance", NULL },
	{ "Install", "Also", "a unit whose file is there is started: nothing is enabled" },

	/* podman-systemd.unit(5) */
	{ "Container", "ReadOnly ReadOnlyTmpfs EnvironmentHost Secret Sysctl Timezone UserNS UIDMap GIDMap SubUIDMap SubGIDMap RemapUsers "
		       "RemapUid RemapGid RemapUidSize Mask Unmask Mount Memory PidsLimit ShmSize SeccompProfile AddDevice HealthStartupCmd "
		       "HealthStartupRetries HealthStartupSuccess HealthStartupTimeout", NULL },
	{ "Container", "HealthLogDestination HealthMaxLogCount HealthMaxLogSize", "`coppice health` and `coppice logs` show the last checks" },
	{ "Container", "Network NetworkAlias PublishPort ExposeHostPort IP IP6 DNS DNSOption DNSSearch AddHost HttpProxy HostName",
	  "one container has one network; see [Network] in coppice.conf" },
	{ "Container", "ContainerName ServiceName", "a unit is called as its file is" },
	{ "Container", "AutoUpdate Pull Retry RetryDelay", "images are not fetched; put a root file system into ImagePath=" },
	{ "Container", "Label Annotation ContainersConfModule GlobalArgs PodmanArgs CgroupsMode StartWithPod Pod RunInit AppArmor SecurityLabel*",
	  "there is no Podman below" },
	{ "Container", "LogDriver LogOpt", "see StandardOutput=" },
	{ "Container", "Notify", "Type=notify says the same; with a health check a unit is ready when it is well" },
	{ "Quadlet", "*", "units are read as they are; nothing is generated from them" },
	{ "Image", "Config Follow", NULL },
	{ "Image", "AllTags Arch AuthFile CertDir ContainersConfModule Creds DecryptionKey GlobalArgs Image ImageTag OS PodmanArgs Policy Retry RetryDelay "
		   "ServiceName TLSVerify Variant", "images are not fetched; put it into ImagePath= and name it with Layer=" },
	{ "Volume", "Copy Device Driver Group Image Options Type User VolumeName", NULL },
	{ "Volume", "ContainersConfModule GlobalArgs Label PodmanArgs ServiceName", "there is no Podman below" },
	{ "Timer", "*", NULL },
	{ "Socket", "*", NULL },
};

static bool has(const char *names, const char *name)
{
	size_t n;

	for (; *names; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		if (names[n - 1] == '*' ? !strncmp(names, name, n - 1) : !strncmp(names, name, n) && !name[n])
			return true;
	}
	return false;
}

bool setting_is_foreign(enum section section, const char *name, const char **ret_why)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		enum section where = (enum section)section_of(foreign[i].section);

		if (where != section && !(where == IN_CONTAINER && section == IN_SERVICE))
			continue;
		if (has(foreign[i].names, name)) {
			*ret_why = foreign[i].why;
			return true;
		}
	}
	return false;
}
