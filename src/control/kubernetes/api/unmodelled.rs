//! Every valid field that has no effect here, and what the simulator does instead.
//!
//! One table: a row stands for the fields that it names below its places, and for everything below
//! them; `[]` marks the items of a list. What is neither in this table nor in the shapes is unknown to
//! the API.

/// Fields without effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unmodelled {
    /// Of which kinds.
    pub kinds: &'static [&'static str],
    /// Below which of these paths; the empty path is the object.
    pub places: &'static [&'static str],
    /// Which fields.
    pub fields: &'static [&'static str],
    /// What the simulator does instead.
    pub instead: &'static str,
}

/// All of them.
pub fn table() -> impl Iterator<Item = Unmodelled> {
    TABLE.iter().map(|&(kinds, places, fields, instead)| Unmodelled { kinds, places, fields, instead })
}

/// The row that covers a path of a kind.
///
/// ```
/// use windtunnel::control::kubernetes::api::unmodelled;
/// assert!(unmodelled::find("Pod", "spec.containers[].env[].name").is_some());
/// assert!(unmodelled::find("Pod", "spec.containers[].image").is_none());
/// ```
pub fn find(kind: &str, path: &str) -> Option<Unmodelled> {
    table().find(|row| row.kinds.contains(&kind) && row.covers(path))
}

/// Whether a field is written by the cluster itself: nobody who states an object means anything by it.
///
/// ```
/// use windtunnel::control::kubernetes::api::unmodelled;
/// let status = unmodelled::find("Pod", "status.podIP").expect("it is in the table");
/// assert!(unmodelled::is_of_the_cluster(status.instead));
/// ```
pub fn is_of_the_cluster(instead: &str) -> bool {
    [STORED, STATUS, NODE].contains(&instead)
}

/// A path without the places in lists: `volumes[3].name` becomes `volumes[].name`.
pub fn pattern(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|&letter| {
            let digit_of_place = inside && letter.is_ascii_digit();
            inside = letter == '[' || digit_of_place;
            !digit_of_place
        })
        .collect()
}

impl Unmodelled {
    fn covers(&self, path: &str) -> bool {
        self.places.iter().any(|place| {
            let below = if place.is_empty() { Some(path) } else { path.strip_prefix(place) };
            let below = below.map(|below| below.strip_prefix('.').unwrap_or(below));
            let name = below.and_then(|below| below.split(['.', '[']).next());
            name.is_some_and(|name| self.fields.contains(&name))
        })
    }
}

/// Kinds, places, fields, and what is done instead.
type Line = (&'static [&'static str], &'static [&'static str], &'static [&'static str], &'static str);

const OBJECTS: &[&str] = &[
    "Pod",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "StorageClass",
    "CSINode",
    "CSIDriver",
    "CSIStorageCapacity",
    "VolumeAttachment",
    "Service",
    "ReplicationController",
    "ReplicaSet",
    "StatefulSet",
    "PodDisruptionBudget",
    "Namespace",
    "PriorityClass",
];
const POD: &[&str] = &["Pod"];
const CONTAINERS: &[&str] = &["spec.containers[]", "spec.initContainers[]"];
const READINESS: &[&str] = &["spec.containers[].readinessProbe", "spec.initContainers[].readinessProbe"];
const STATUSES: &[&str] = &["status.containerStatuses[]", "status.initContainerStatuses[]"];

const STORED: &str = "stored by Kubernetes; no effect on scheduling";
const INSIDE: &str = "concerns the inside of the container; how it behaves is said by the scenario";
const STATUS: &str = "written by the cluster; the simulator finds its own";
const TRAFFIC: &str = "traffic is not modelled; a pod is ready when its own checks pass";
const NETWORK: &str = "addresses and names are not modelled";
const DEVICES: &str = "claims on devices are not modelled yet";
const CONTENT: &str = "the content of volumes is not modelled; mounting takes no time";
const LEGACY: &str = "disks of this kind are not modelled; no limit and no zone holds for them";
const SECURITY: &str = "the rights of processes have no effect here";
const RUN: &str = "not modelled yet; how long a pod runs is said by the scenario";
const ANSWERS: &str = "how an application answers its readiness probe is said by the scenario";
const COUNT: &str = "not modelled yet; the pods themselves are stated";
const NODE: &str = "stored by Kubernetes; the machine is said by the scenario";
const PROCESS: &str = "concerns the process of the scheduler, not its decisions";

/// In the order of the kinds.
const TABLE: &[Line] = &[
    (
        OBJECTS,
        &["metadata"],
        &[
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "finalizers",
            "generateName",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
        ],
        STORED,
    ),
    (OBJECTS, &["metadata.ownerReferences[]"], &["blockOwnerDeletion"], STORED),
    (
        POD,
        CONTAINERS,
        &[
            "args",
            "command",
            "env",
            "envFrom",
            "resizePolicy",
            "stdin",
            "stdinOnce",
            "terminationMessagePath",
            "terminationMessagePolicy",
            "tty",
            "workingDir",
        ],
        INSIDE,
    ),
    (POD, CONTAINERS, &["lifecycle"], "not modelled yet; there are no hooks"),
    (POD, CONTAINERS, &["livenessProbe"], "not modelled yet; no container is killed for its answers"),
    (POD, CONTAINERS, &["startupProbe"], "not modelled yet; a container has started when it runs"),
    (POD, READINESS, &["exec", "grpc", "httpGet", "tcpSocket"], ANSWERS),
    (POD, READINESS, &["terminationGracePeriodSeconds"], STORED),
    (POD, CONTAINERS, &["securityContext"], SECURITY),
    (POD, CONTAINERS, &["volumeDevices", "volumeMounts"], CONTENT),
    (POD, &["spec.containers[].ports[]", "spec.initContainers[].ports[]"], &["name"], STORED),
    (
        POD,
        &[
            "spec.containers[].resources",
            "spec.initContainers[].resources",
            "spec.resources",
            "status.containerStatuses[].resources",
            "status.initContainerStatuses[].resources",
            "status.resources",
        ],
        &["claims"],
        DEVICES,
    ),
    (
        POD,
        &["spec.containers[].restartPolicyRules[]", "spec.initContainers[].restartPolicyRules[]"],
        &["exitCodes"],
        RUN,
    ),
    (POD, &["spec"], &["activeDeadlineSeconds", "readinessGates", "schedulingGroup"], RUN),
    (POD, &["spec"], &["ephemeralContainers"], INSIDE),
    (
        POD,
        &["spec"],
        &["automountServiceAccountToken", "securityContext", "serviceAccount", "serviceAccountName"],
        SECURITY,
    ),
    (
        POD,
        &["spec"],
        &[
            "dnsConfig",
            "dnsPolicy",
            "enableServiceLinks",
            "hostAliases",
            "hostname",
            "hostnameOverride",
            "setHostnameAsFQDN",
            "subdomain",
        ],
        NETWORK,
    ),
    (POD, &["spec"], &["hostIPC", "hostPID", "shareProcessNamespace"], INSIDE),
    (POD, &["spec"], &["imagePullSecrets", "os"], STORED),
    (POD, &["spec"], &["resourceClaims"], DEVICES),
    (POD, &["spec"], &["runtimeClassName"], "stored; its overhead is written in the pod"),
    (
        POD,
        &["spec.tolerations[]"],
        &["tolerationSeconds"],
        "not modelled yet; pods are not evicted by taints",
    ),
    (
        POD,
        &["spec.volumes[]"],
        &["configMap", "csi", "downwardAPI", "emptyDir", "hostPath", "nfs", "projected", "secret"],
        CONTENT,
    ),
    (
        POD,
        &["spec.volumes[]"],
        &[
            "azureDisk",
            "azureFile",
            "cephfs",
            "cinder",
            "fc",
            "flexVolume",
            "flocker",
            "gitRepo",
            "glusterfs",
            "photonPersistentDisk",
            "portworxVolume",
            "quobyte",
            "scaleIO",
            "storageos",
            "vsphereVolume",
        ],
        LEGACY,
    ),
    (POD, &["spec.volumes[].ephemeral"], &["volumeClaimTemplate"], "the claim itself is stated"),
    (POD, &["spec.volumes[].awsElasticBlockStore"], &["fsType", "partition", "readOnly"], STORED),
    (POD, &["spec.volumes[].gcePersistentDisk"], &["fsType", "partition"], STORED),
    (
        POD,
        &["spec.volumes[].iscsi"],
        &[
            "chapAuthDiscovery",
            "chapAuthSession",
            "fsType",
            "initiatorName",
            "iscsiInterface",
            "lun",
            "portals",
            "secretRef",
            "targetPortal",
        ],
        STORED,
    ),
    (POD, &["spec.volumes[].rbd"], &["fsType", "keyring", "secretRef", "user"], STORED),
    (POD, &["spec.volumes[].image"], &["pullPolicy"], STORED),
    (POD, &["spec.volumes[].persistentVolumeClaim"], &["readOnly"], STORED),
    (
        POD,
        STATUSES,
        &[
            "allocatedResourcesStatus",
            "containerID",
            "image",
            "imageID",
            "lastState",
            "ready",
            "restartCount",
            "started",
            "state",
            "stopSignal",
            "user",
            "volumeMounts",
        ],
        STATUS,
    ),
    (
        POD,
        &["status.conditions[]"],
        &["lastProbeTime", "lastTransitionTime", "message", "observedGeneration"],
        STATUS,
    ),
    (
        POD,
        &["status"],
        &[
            "ephemeralContainerStatuses",
            "extendedResourceClaimStatus",
            "hostIP",
            "hostIPs",
            "message",
            "nodeAllocatableResourceClaimStatuses",
            "observedGeneration",
            "podIP",
            "podIPs",
            "qosClass",
            "reason",
            "resize",
            "resourceClaimStatuses",
        ],
        STATUS,
    ),
    (&["Node"], &["spec"], &["configSource", "externalID", "podCIDR", "podCIDRs", "providerID"], NODE),
    (&["Node"], &["spec.taints[]"], &["timeAdded"], STORED),
    (
        &["Node"],
        &["status"],
        &[
            "addresses",
            "conditions",
            "config",
            "daemonEndpoints",
            "features",
            "nodeInfo",
            "phase",
            "runtimeHandlers",
            "volumesAttached",
            "volumesInUse",
        ],
        NODE,
    ),
    (
        &["PersistentVolume"],
        &["spec"],
        &[
            "awsElasticBlockStore",
            "azureDisk",
            "azureFile",
            "cephfs",
            "cinder",
            "fc",
            "flexVolume",
            "flocker",
            "gcePersistentDisk",
            "glusterfs",
            "iscsi",
            "photonPersistentDisk",
            "portworxVolume",
            "quobyte",
            "rbd",
            "scaleIO",
            "storageos",
            "vsphereVolume",
        ],
        LEGACY,
    ),
    (
        &["PersistentVolume"],
        &["spec"],
        &[
            "hostPath",
            "local",
            "mountOptions",
            "nfs",
            "persistentVolumeReclaimPolicy",
            "volumeAttributesClassName",
        ],
        CONTENT,
    ),
    (
        &["PersistentVolume"],
        &["spec.claimRef"],
        &["apiVersion", "fieldPath", "kind", "resourceVersion"],
        STORED,
    ),
    (
        &["PersistentVolume"],
        &["spec.csi"],
        &[
            "controllerExpandSecretRef",
            "controllerPublishSecretRef",
            "fsType",
            "nodeExpandSecretRef",
            "nodePublishSecretRef",
            "nodeStageSecretRef",
            "readOnly",
            "volumeAttributes",
        ],
        CONTENT,
    ),
    (&["PersistentVolume"], &["status"], &["lastPhaseTransitionTime", "message", "reason"], STATUS),
    (
        &["PersistentVolumeClaim"],
        &["spec"],
        &["dataSource", "dataSourceRef", "volumeAttributesClassName"],
        CONTENT,
    ),
    (
        &["PersistentVolumeClaim"],
        &["status"],
        &[
            "accessModes",
            "allocatedResourceStatuses",
            "allocatedResources",
            "capacity",
            "conditions",
            "currentVolumeAttributesClassName",
            "modifyVolumeStatus",
        ],
        STATUS,
    ),
    (
        &["StorageClass"],
        &[""],
        &["allowVolumeExpansion", "mountOptions", "parameters", "reclaimPolicy"],
        CONTENT,
    ),
    (&["CSINode"], &["spec.drivers[]"], &["nodeID", "topologyKeys"], STORED),
    (
        &["CSIDriver"],
        &["spec"],
        &[
            "attachRequired",
            "fsGroupPolicy",
            "nodeAllocatableUpdatePeriodSeconds",
            "podInfoOnMount",
            "requiresRepublish",
            "seLinuxMount",
            "serviceAccountTokenInSecrets",
            "tokenRequests",
            "volumeLifecycleModes",
        ],
        CONTENT,
    ),
    (&["VolumeAttachment"], &["spec.source"], &["inlineVolumeSpec"], LEGACY),
    (&["VolumeAttachment"], &[""], &["status"], STATUS),
    (
        &["Service"],
        &["spec"],
        &[
            "allocateLoadBalancerNodePorts",
            "clusterIP",
            "clusterIPs",
            "externalIPs",
            "externalName",
            "externalTrafficPolicy",
            "healthCheckNodePort",
            "internalTrafficPolicy",
            "ipFamilies",
            "ipFamilyPolicy",
            "loadBalancerClass",
            "loadBalancerIP",
            "loadBalancerSourceRanges",
            "ports",
            "publishNotReadyAddresses",
            "sessionAffinity",
            "sessionAffinityConfig",
            "trafficDistribution",
            "type",
        ],
        TRAFFIC,
    ),
    (
        &["Service", "ReplicationController", "ReplicaSet", "StatefulSet", "Namespace"],
        &[""],
        &["status"],
        STATUS,
    ),
    (
        &["ReplicationController", "ReplicaSet", "StatefulSet"],
        &["spec"],
        &["minReadySeconds", "replicas"],
        COUNT,
    ),
    (&["ReplicationController"], &["spec.template"], &["spec"], COUNT),
    (&["ReplicaSet"], &["spec"], &["template"], COUNT),
    (
        &["StatefulSet"],
        &["spec"],
        &[
            "ordinals",
            "persistentVolumeClaimRetentionPolicy",
            "podManagementPolicy",
            "revisionHistoryLimit",
            "serviceName",
            "template",
            "updateStrategy",
            "volumeClaimTemplates",
        ],
        COUNT,
    ),
    (
        &["PodDisruptionBudget"],
        &["spec"],
        &["maxUnavailable", "minAvailable", "unhealthyPodEvictionPolicy"],
        "not modelled yet; the disruptions that are allowed are stated",
    ),
    (
        &["PodDisruptionBudget"],
        &["status"],
        &["conditions", "currentHealthy", "desiredHealthy", "expectedPods", "observedGeneration"],
        STATUS,
    ),
    (&["Namespace"], &[""], &["spec"], STORED),
    (&["PriorityClass"], &[""], &["description"], STORED),
    (
        &["KubeSchedulerConfiguration"],
        &[""],
        &[
            "clientConnection",
            "delayCacheUntilActive",
            "enableContentionProfiling",
            "enableProfiling",
            "leaderElection",
            "parallelism",
        ],
        PROCESS,
    ),
    (&["KubeSchedulerConfiguration"], &[""], &["extenders"], "not modelled; no extender is asked"),
    (
        &["KubeSchedulerConfiguration"],
        &["profiles[].pluginConfig[].args"],
        &["bindTimeoutSeconds", "bindingTimeout", "filterTimeout", "shape"],
        "not modelled; volumes bind in time, devices are not bound",
    ),
];
