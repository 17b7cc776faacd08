//! The shape of a Pod, as far as it is read.

use super::shape::{
    LabelSelector, Metadata, NodeSelector, NodeSelectorTerm, Pairs, Requirements, Resources, shape,
};

shape! {
    PodShape {
        metadata: Metadata<'a>,
        spec: PodSpecShape<'a>,
        status: PodStatus<'a>,
    }
}

shape! {
    PodSpecShape {
        node_name: &'a str,
        scheduler_name: &'a str,
        priority_class_name: &'a str,
        priority: Option<i32>,
        preemption_policy: &'a str,
        restart_policy: &'a str,
        termination_grace_period_seconds: Option<i64>,
        host_network: bool,
        host_users: Option<bool>,
        containers: Vec<Container<'a>>,
        init_containers: Vec<Container<'a>>,
        overhead: Resources<'a>,
        resources: Option<Requirements<'a>>,
        node_selector: Pairs<'a>,
        affinity: Affinity<'a>,
        tolerations: Vec<TolerationShape<'a>>,
        topology_spread_constraints: Vec<SpreadShape<'a>>,
        scheduling_gates: Vec<Gate<'a>>,
        volumes: Vec<Volume<'a>>,
    }
}

shape! {
    Container {
        name: &'a str,
        image: &'a str,
        image_pull_policy: &'a str,
        ports: Vec<Port<'a>>,
        resources: Requirements<'a>,
        restart_policy: &'a str,
        restart_policy_rules: Vec<RestartRule<'a>>,
        readiness_probe: Option<Probe<'a>>,
    }
}

shape! {
    Probe {
        initial_delay_seconds: i32,
        period_seconds: i32,
        timeout_seconds: i32,
        success_threshold: i32,
        failure_threshold: i32,
    }
}

shape! {
    Port {
        container_port: i32,
        host_port: i32,
        #[serde(rename = "hostIP")]
        host_ip: &'a str,
        protocol: &'a str,
    }
}

shape! {
    RestartRule {
        action: &'a str,
    }
}

shape! {
    Affinity {
        node_affinity: NodeAffinity<'a>,
        pod_affinity: PodAffinity<'a>,
        pod_anti_affinity: PodAffinity<'a>,
    }
}

shape! {
    NodeAffinity {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        required: Option<NodeSelector<'a>>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        preferred: Vec<PreferredNode<'a>>,
    }
}

shape! {
    PreferredNode {
        weight: i32,
        preference: NodeSelectorTerm<'a>,
    }
}

shape! {
    PodAffinity {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        required: Vec<PodAffinityTerm<'a>>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        preferred: Vec<PreferredPod<'a>>,
    }
}

shape! {
    PreferredPod {
        weight: i32,
        pod_affinity_term: PodAffinityTerm<'a>,
    }
}

shape! {
    PodAffinityTerm {
        label_selector: Option<LabelSelector<'a>>,
        namespaces: Vec<&'a str>,
        namespace_selector: Option<LabelSelector<'a>>,
        topology_key: &'a str,
        match_label_keys: Vec<&'a str>,
        mismatch_label_keys: Vec<&'a str>,
    }
}

shape! {
    TolerationShape {
        key: &'a str,
        operator: &'a str,
        value: &'a str,
        effect: &'a str,
    }
}

shape! {
    SpreadShape {
        max_skew: i32,
        topology_key: &'a str,
        when_unsatisfiable: &'a str,
        label_selector: Option<LabelSelector<'a>>,
        min_domains: Option<i32>,
        node_affinity_policy: Option<&'a str>,
        node_taints_policy: Option<&'a str>,
        match_label_keys: Vec<&'a str>,
    }
}

shape! {
    Gate {
        name: &'a str,
    }
}

shape! {
    Volume {
        name: &'a str,
        persistent_volume_claim: Option<ClaimSource<'a>>,
        ephemeral: Option<EphemeralSource<'a>>,
        gce_persistent_disk: Option<GceDisk<'a>>,
        aws_elastic_block_store: Option<EbsDisk<'a>>,
        iscsi: Option<IscsiDisk<'a>>,
        rbd: Option<RbdDisk<'a>>,
        image: Option<ImageSource<'a>>,
    }
}

shape! {
    ClaimSource {
        claim_name: &'a str,
    }
}

shape! {
    /// What the controller makes the claim of; scheduling waits for the claim.
    EphemeralSource {}
}

shape! {
    GceDisk {
        pd_name: &'a str,
        read_only: bool,
    }
}

shape! {
    EbsDisk {
        #[serde(rename = "volumeID")]
        volume: &'a str,
    }
}

shape! {
    IscsiDisk {
        iqn: &'a str,
        read_only: bool,
    }
}

shape! {
    RbdDisk {
        monitors: Vec<&'a str>,
        pool: &'a str,
        image: &'a str,
        read_only: bool,
    }
}

shape! {
    ImageSource {
        reference: &'a str,
    }
}

shape! {
    PodStatus {
        phase: &'a str,
        conditions: Vec<Condition<'a>>,
        nominated_node_name: &'a str,
        start_time: Option<&'a str>,
        container_statuses: Vec<ContainerStatus<'a>>,
        init_container_statuses: Vec<ContainerStatus<'a>>,
        resources: Option<Requirements<'a>>,
        allocated_resources: Resources<'a>,
    }
}

shape! {
    Condition {
        r#type: &'a str,
        status: &'a str,
        reason: &'a str,
    }
}

shape! {
    ContainerStatus {
        name: &'a str,
        resources: Option<Requirements<'a>>,
        allocated_resources: Resources<'a>,
    }
}

impl<'a> PodSpecShape<'a> {
    /// Every container, those of the start first.
    pub(super) fn all_containers(&self) -> impl Iterator<Item = &Container<'a>> {
        self.init_containers.iter().chain(&self.containers)
    }

    pub(super) fn all_containers_mut(&mut self) -> impl Iterator<Item = &mut Container<'a>> {
        self.init_containers.iter_mut().chain(&mut self.containers)
    }
}

impl Container<'_> {
    /// Whether, as an init container, it runs as long as the pod.
    pub(super) fn is_sidecar(&self) -> bool {
        self.restart_policy == "Always"
    }
}
