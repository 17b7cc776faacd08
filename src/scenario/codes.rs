//! The one table of error and warning codes.
//!
//! `windtunnel error E0103` prints an entry, `docs/errors.md` is generated from it, and a diagnostic
//! cannot exist without one. Numbers are never reused; E0304 is kept for deployments that name an image,
//! E0804 for traces. Knows nothing of where a mistake stands.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use super::diagnostic::Severity;

/// What the documentation says about one code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// `E0103`; the first letter is the severity, the next two digits are the group.
    pub number: &'static str,
    /// A few words.
    pub title: &'static str,
    /// Why this is refused or remarked on.
    pub text: &'static str,
    /// A text that gets this code.
    pub wrong: &'static str,
    /// The same, mended.
    pub mended: &'static str,
}

/// Declares [`Code`] and its table, so that neither can lack a row of the other.
macro_rules! codes {
    ($($name:ident $number:literal $title:literal: $text:literal $wrong:literal => $mended:literal)*) => {
        /// A kind of mistake, named by what it is; [`Code::number`] is what people see.
        ///
        /// ```
        /// use windtunnel::scenario::Code;
        /// assert_eq!(Code::UnknownKey.number(), "E0103");
        /// assert_eq!(Code::by_number("e0103"), Some(Code::UnknownKey));
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code, in the order of the numbers.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// What the documentation says.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Code::$name => Entry {
                        number: $number, title: $title, text: $text, wrong: $wrong, mended: $mended,
                    },)*
                }
            }
        }
    };
}

codes! {
    // E01: text, YAML, JSON, keys.
    YamlSyntax "E0101" "the text is not YAML":
        "The parser could not go on after this place. The usual reasons are a tab used for indentation, \
         a line that is indented by one space too many, and a colon, a hash or a quote in an unquoted text."
        "about: shop: the second\n" => "about: \"shop: the second\"\n"
    JsonSyntax "E0102" "the text is not JSON":
        "A request file is JSON as the AWS command line takes it: keys in double quotes, no comments, no \
         comma after the last entry."
        "{\"family\": \"web\",}" => "{\"family\": \"web\"}"
    UnknownKey "E0103" "unknown key":
        "Nothing reads this key. A misspelt key that was silently ignored would change the result \
         without a word, so it is refused. The nearest known key is named when one is near."
        "images: { defaults: { sise: 150 MB } }\n" => "images: { defaults: { size: 150 MB } }\n"
    DuplicateKey "E0104" "a key stands twice":
        "Both entries cannot be meant, and the parsers of this world disagree about which one wins."
        "seed: 1\nseed: 2\n" => "seed: 2\n"
    WrongType "E0105" "a value of another kind is wanted":
        "A text stands where a map is wanted, a list where a number is wanted, and so on. The message \
         says what is wanted and what was found."
        "subnets: [subnet-a]\n" => "subnets: { subnet-a: us-east-1a }\n"
    UnknownChoice "E0106" "unknown word where one of a few is wanted":
        "The value must be one of a fixed set of words. The nearest one, or the whole set, is named."
        "strategy: binpak\n" => "strategy: binpack\n"
    MissingKey "E0107" "a key is missing":
        "The map lacks a key without which it means nothing, and which has no sensible default."
        "image: { size: 180 MiB }\n" => "image: { repository: shop/web, size: 180 MiB }\n"
    WrongValue "E0108" "a value that makes no sense here":
        "The value has the right kind, but not a content that can be used; the message says why."
        "tasks: -3\n" => "tasks: 3\n"
    NotText "E0109" "the file is not text":
        "The file holds zero bytes or is not encoded in UTF-8. Archives must be unpacked first; files in \
         UTF-16 or Latin-1 must be converted."
        "(a .gz file)" => "(the file that was in it)"
    SeveralDocuments "E0110" "not exactly one document":
        "A scenario is one YAML document. An empty file has none; a line with three dashes starts \
         another one."
        "name: a\n---\nname: b\n" => "name: a\n"
    YamlFeature "E0111" "a corner of YAML that is not read":
        "Custom tags, maps and lists as keys, and aliases that contain themselves have no meaning in a \
         scenario. Anchors, aliases and merge keys are read."
        "seed: !secret 1\n" => "seed: 1\n"

    // E02: units and numbers.
    MissingUnit "E0201" "a number without its unit":
        "Numbers that measure something carry a unit: 30 could be seconds or minutes, 512 could be MiB \
         or millicores. The hint names the units that are read here."
        "run_for: 7\n" => "run_for: 7d\n"
    UnknownUnit "E0202" "unknown unit":
        "The number is fine, the unit behind it is not one that is read here. Case counts: MB is a \
         million bytes, MiB is 1,048,576, Mbit is an eighth of a megabyte."
        "memory: 1 gig\n" => "memory: 1 GiB\n"
    NotANumber "E0203" "no number where one is wanted":
        "A measured value starts with digits, perhaps with a decimal point: no thousands separators, no \
         exponents, no signs, no words."
        "memory: 1,000 MiB\n" => "memory: 1000 MiB\n"
    NegativeNumber "E0204" "a negative amount":
        "Times, sizes, rates, shares and prices of a scenario are never negative."
        "shutdown: -30s\n" => "shutdown: 30s\n"
    NumberTooLarge "E0205" "a number beyond what can be counted":
        "The amount does not fit the integers that the simulation counts in: 584 years in nanoseconds, \
         8 EiB, a hundred thousand billion US dollars."
        "run_for: 10000000d\n" => "run_for: 7d\n"
    NumberTooFine "E0206" "an amount below the smallest step":
        "The amount is not zero but smaller than the smallest step that is counted: a nanosecond, a \
         byte, 1/128,000 vCPU, 1e-10 USD. A percentage is whole."
        "min: 99.5%\n" => "min: 99%\n"
    WrongTime "E0207" "not a point in time":
        "Points in time are written as in RFC 3339, with an offset or Z, and lie between the years 1970 \
         and 2500."
        "start: 2026-03-02 00:00\n" => "start: 2026-03-02T00:00:00Z\n"
    WrongDistribution "E0208" "a distribution that cannot be":
        "The figures contradict each other: a p99 below the median, an interval that ends before it \
         starts, a mean of zero, a cap below the percentile, or not exactly one percentile."
        "takes: { lognormal: { median: 9m, p99: 6m } }\n" => "takes: { lognormal: { median: 6m, p99: 9m } }\n"
    DistributionTail "E0209" "a distribution without a sensible end":
        "The spread is so wide that one draw in a million exceeds what can be counted. Name the largest \
         value with `max`."
        "takes: { lognormal: { median: 1s, p90: 365d } }\n"
        => "takes: { lognormal: { median: 1s, p90: 365d, max: 730d } }\n"

    // E03: references.
    UnknownInstanceType "E0301" "unknown instance type":
        "The catalog of EC2 instance types has no such row. The hint names the nearest one."
        "pools: { general: { instance_type: m7i.xlrge, count: 3 } }\n"
        => "pools: { general: { instance_type: m7i.xlarge, count: 3 } }\n"
    UnknownRegion "E0302" "unknown region":
        "No region has this name, or no prices are known for it."
        "region: us-east1\n" => "region: us-east-1\n"
    UnknownZone "E0303" "unknown zone":
        "The zone does not belong to the region of the scenario."
        "zone_outage: { zone: us-east-1q, for: 2h }\n" => "zone_outage: { zone: us-east-1b, for: 2h }\n"
    UnknownImage "E0304" "unknown image":
        "An event or a container names an image that no workload and no registry of the scenario has."
        "deploy: { workload: web, image: shop/wbe:2 }\n" => "deploy: { workload: web, image: shop/web:2 }\n"
    UnknownFamily "E0305" "unknown task definition":
        "A service or a task names a family, or a revision of one, that no request file registers."
        "\"taskDefinition\": \"web:7\"" => "\"taskDefinition\": \"web:1\""
    UnknownWorkload "E0306" "unknown workload":
        "An event, a call or an expectation names a workload that is not in the scenario."
        "calls: { apy: 1.2 }\n" => "calls: { api: 1.2 }\n"
    UnknownCapacityProvider "E0307" "unknown capacity provider":
        "The default strategy of a cluster names a capacity provider that is not one of the cluster's."
        "\"capacityProviders\": [\"FARGATE\"], \"defaultCapacityProviderStrategy\": [{\"capacityProvider\": \"FARGTE\"}]"
        => "\"capacityProviders\": [\"FARGATE\"], \"defaultCapacityProviderStrategy\": [{\"capacityProvider\": \"FARGATE\"}]"
    NotOffered "E0308" "not offered here":
        "The instance type exists, but not in the region or zones of the scenario."
        "region: eu-west-3\npools: { gpu: { instance_type: p5.48xlarge, count: 1 } }\n"
        => "region: us-east-1\npools: { gpu: { instance_type: p5.48xlarge, count: 1 } }\n"
    UnknownCluster "E0309" "unknown cluster":
        "A request names a cluster that the platform does not have."
        "\"cluster\": \"prod\"" => "\"cluster\": \"default\""

    // E04: ECS requests.
    NoContainers "E0401" "a task definition without an essential container":
        "A task definition has at least one container, and at least one of them is essential."
        "\"containerDefinitions\": []" => "\"containerDefinitions\": [{\"name\": \"web\", \"essential\": true}]"
    ContainerName "E0402" "two containers with one name, or a name that ECS refuses":
        "Container names are unique within a task definition and have 1 to 255 letters, digits, \
         underscores and hyphens."
        "\"name\": \"web server\"" => "\"name\": \"web-server\""
    DependencyCycle "E0403" "containers wait for each other":
        "The `dependsOn` entries form a circle, so no container could start."
        "web -> proxy -> web" => "web -> proxy"
    UnknownDependency "E0404" "a dependency on a container that is not there":
        "`dependsOn` names a container that the task definition does not have, or a condition that the \
         container cannot meet, such as HEALTHY without a health check."
        "\"dependsOn\": [{\"containerName\": \"porxy\", \"condition\": \"START\"}]"
        => "\"dependsOn\": [{\"containerName\": \"proxy\", \"condition\": \"START\"}]"
    FargateSize "E0405" "a size that Fargate does not sell":
        "Fargate runs fixed pairs of CPU and memory only. The hint names the next larger pair."
        "\"cpu\": \"256\", \"memory\": \"4096\"" => "\"cpu\": \"512\", \"memory\": \"4096\""
    FargateField "E0406" "a field that Fargate refuses":
        "Privileged containers, host networking, links, GPUs and the like need instances."
        "\"requiresCompatibilities\": [\"FARGATE\"], \"networkMode\": \"bridge\""
        => "\"requiresCompatibilities\": [\"FARGATE\"], \"networkMode\": \"awsvpc\""
    MemoryRule "E0407" "memory figures that contradict each other":
        "A container needs a limit or a reservation unless the task has a size; a reservation is below \
         its limit; no container's limit exceeds the task's."
        "\"memory\": 256, \"memoryReservation\": 512" => "\"memory\": 512, \"memoryReservation\": 256"
    NetworkMode "E0408" "a field that this network mode refuses":
        "Links and host names need bridge mode; with awsvpc and host a host port equals its container \
         port."
        "\"networkMode\": \"awsvpc\", \"links\": [\"db\"]" => "\"networkMode\": \"bridge\", \"links\": [\"db\"]"
    PortConflict "E0409" "a port that is taken twice":
        "Two containers of one task ask for the same host port, so the task fits nowhere."
        "\"hostPort\": 80 (twice)" => "\"hostPort\": 80, \"hostPort\": 81"
    VolumeReference "E0410" "a mount of a volume that is not there":
        "`mountPoints` and `volumesFrom` name volumes and containers of the same task definition."
        "\"sourceVolume\": \"dtaa\"" => "\"sourceVolume\": \"data\""
    StrategyRule "E0411" "a placement strategy or capacity strategy that ECS refuses":
        "At most five placement strategies; no strategies with Fargate or daemons; at most one base above \
         zero; at least one weight above zero; no launch type beside capacity providers."
        "capacity: [ { provider: FARGATE, weight: 0 } ]\n" => "capacity: [ { provider: FARGATE, weight: 1 } ]\n"
    RequestRule "E0413" "a request that ECS refuses":
        "ECS would answer with an InvalidParameterException or a ClientException; the message says which \
         rule is broken."
        "\"desiredCount\": -1" => "\"desiredCount\": 1"
    RequestKind "E0414" "a file that is no known request":
        "The keys fit neither RegisterTaskDefinition, CreateService, RunTask, CreateCapacityProvider \
         nor any other request that is read."
        "{\"foo\": {}}" => "{\"family\": \"web\", \"containerDefinitions\": []}"

    // E05: cluster query language.
    QuerySyntax "E0501" "an expression that cannot be read":
        "Placement constraints of type memberOf are written in the cluster query language: a subject, an \
         operator, a value, joined by and, or, not and parentheses."
        "attribute:ecs.instance-type = t3.small" => "attribute:ecs.instance-type == t3.small"
    QuerySubject "E0502" "unknown subject":
        "Subjects are agentConnected, agentVersion, ec2InstanceId, registeredAt, runningTasksCount, \
         task:group and attribute:NAME."
        "zone == us-east-1a" => "attribute:ecs.availability-zone == us-east-1a"
    QueryOperator "E0503" "an operator that this subject refuses":
        "Numbers and times compare, names match, and only attributes and groups exist or not."
        "runningTasksCount =~ 3.*" => "runningTasksCount >= 3"
    QueryPattern "E0504" "a pattern that cannot be read":
        "The pattern after =~ or !~ is no regular expression, or one with look-around or back-references, \
         which are not supported."
        "attribute:stack =~ (?=prod)" => "attribute:stack =~ prod.*"
    QueryTooLong "E0505" "an expression beyond 2,000 characters":
        "ECS takes expressions of at most 2,000 characters."
        "(an expression of 3,000 characters)" => "(one attribute that stands for the whole list)"

    // E06: capacity.
    FitsNowhere "E0601" "a task that fits no machine":
        "No instance type of the platform has the CPU, memory, ports or devices that the task asks for, \
         even when empty. Note that a machine registers less memory than its type promises."
        "memory: 16 GiB  # on m7i.xlarge, which registers 15.3 GiB" => "memory: 15 GiB\n"
    NoCapacity "E0602" "nothing to run on":
        "The platform has no instances, no groups and no Fargate for a workload that must run there."
        "platforms: { ecs-ec2: { ecs: { launch_type: EC2, requests: web.json } } }\n"
        => "platforms: { ecs: { ecs: { launch_type: FARGATE, requests: web.json } } }\n"
    CapacityBounds "E0603" "bounds in the wrong order":
        "A minimum lies above its maximum, or something ends before it begins."
        "every: 6/h, from: 5h, until: 2h\n" => "every: 6/h, from: 2h, until: 5h\n"
    ArchitectureMismatch "E0604" "an image for another processor":
        "The task wants one CPU architecture and every machine of the platform has the other."
        "instance_type: m7g.large   # ARM64, the task wants X86_64\n" => "instance_type: m7i.large\n"

    // E07: limits.
    TextTooLarge "E0701" "a file beyond the limit":
        "Scenario and request files are read into memory whole. Traces are streamed and may be larger: \
         name them under `trace`."
        "(a scenario of 2 GB)" => "batch: { trace: { format: openb, pods: data/openb_pods.csv } }\n"
    TooManyNodes "E0702" "too many values":
        "With its aliases written out the file would hold more than two million values."
        "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]  # and so on" => "a: [x, x, x]\n"
    TooDeep "E0703" "nested too deep":
        "Maps and lists are nested beyond the limit of 64 levels."
        "[[[[[[[[ ... ]]]]]]]]" => "[[ ... ]]"
    TooManyTasks "E0704" "more tasks than can be simulated":
        "The tasks or machines that the scenario asks for exceed what fits into memory."
        "tasks: 1000000000000\n" => "tasks: 1000000\n"
    RunTooLong "E0705" "the end of the run leaves the calendar":
        "The start and the length of the run together reach beyond the year 2500."
        "start: 2499-12-31T00:00:00Z\nrun_for: 7d\n" => "start: 2026-03-02T00:00:00Z\nrun_for: 7d\n"
    SumTooLarge "E0706" "a sum that overflows":
        "Each figure can be counted, but what they add up to cannot."
        "tasks: 4000000\nmemory: 8000000 TiB\n" => "tasks: 4000\nmemory: 8 GiB\n"

    // E08: files.
    CannotRead "E0801" "a file cannot be read":
        "The file does not exist, is a folder, or may not be read by this user."
        "windtunnel run scenaro.yaml" => "windtunnel run scenario.yaml"
    CannotWrite "E0802" "a result cannot be written":
        "The folder is read-only, full, or not a folder. Nothing half-written is left behind."
        "windtunnel run scenario.yaml --out /proc" => "windtunnel run scenario.yaml --out out"
    NothingMatches "E0803" "a pattern matches no file":
        "A pattern such as ecs/*.json names no file, which is more often a typing mistake than a wish."
        "requests: esc/*.json\n" => "requests: ecs/*.json\n"
    TraceRow "E0804" "a malformed row of a trace":
        "A row lacks a column or holds no number where one is wanted. `--skip-bad-rows` allows a named \
         number of them. Rows stand in the order of their times."
        "pod-17,two,4096" => "pod-17,2,4096"
    TraceColumns "E0805" "a trace without the columns of its format":
        "The first line of a trace names its columns, in any order; those that the format reads must be \
         among them. Compressed or not makes no difference."
        "job,start,length" => "arrival_s,duration_s,cpus"
    TraceBroken "E0806" "a trace that cannot be read to its end":
        "The compressed data ends too early or is damaged, or a row is longer than 64 KiB, which no table \
         has. Nothing is guessed about the rest."
        "(half of a .gz file)" => "(the whole file)"
    TraceChanged "E0807" "a trace that is not the one of the run":
        "A result records a hash of each trace. An explanation repeats the run, and a run reads its trace \
         a second time; both need the very same rows."
        "(the trace was replaced by a newer one)" => "(the trace as it was)"

    // E09: Kubernetes manifests.
    ObjectRule "E0901" "an object that Kubernetes refuses":
        "The API server would answer with an error, and the message says which rule is broken."
        "spec: { restartPolicy: Sometimes }\n" => "spec: { restartPolicy: OnFailure }\n"
    ObjectKind "E0902" "no kind of object that is known":
        "A manifest states `apiVersion` and `kind`. Kinds that are valid and not run yet give a warning; \
         this one does not exist, or not in this version of the API."
        "kind: Podd\n" => "kind: Pod\n"
    ObjectTwice "E0903" "two objects of one name":
        "Objects of one kind have different names within a namespace, and a cluster has one configuration \
         of its scheduler."
        "(two Pods called web in one folder of manifests)" => "(a Pod called web, and one called web-2)"

    // W: it runs, but not quite what was written.
    Unmodelled "W0101" "a field that is not modelled":
        "The field is valid, and a real cluster would obey it; the simulator does not. The message says \
         what it does instead. `--strict` turns this into an error."
        "\"firelensConfiguration\": {\"type\": \"fluentbit\"}" => "(nothing: logging costs no time here)"
    Replaced "W0102" "a value that was replaced":
        "AWS rounds or replaces this value when it takes the request, and so does the simulator."
        "cpu: 0.3 vCPU  # 308 CPU units" => "cpu: 0.25 vCPU\n"
    Approximated "W0103" "an approximation":
        "The platform cannot say this exactly; the nearest thing that it can say was taken."
        "spread: { zone: prefer }  # a strategy on ECS" => "spread: { zone: require }\n"
    Deprecated "W0104" "a field that AWS has retired":
        "AWS still takes the field and ignores it or advises against it."
        "\"deploymentController\": {\"type\": \"CODE_DEPLOY\"}" => "\"deploymentController\": {\"type\": \"ECS\"}"
    LoneParentheses "W0105" "parentheses round a single predicate":
        "The cluster query language wants parentheses round compound expressions only."
        "(attribute:stack == prod)" => "attribute:stack == prod"
    Unused "W0106" "something that nothing uses":
        "A definition of the scenario is named by nothing, which is more often a typing mistake than a \
         wish."
        "(a task definition that no service runs)" => "(a service that runs it)"
    Assumed "W0107" "a figure that nobody has published":
        "The behaviour rests on an assumption that is listed in the documentation; the scenario can set \
         it."
        "(a scenario that depends on the order of cleaning up images)" => "(the setting written out)"
    TraceSummary "W0108" "what a trace adds up to":
        "A note, never an error: how many rows and tasks a trace has, and how many of its rows have no \
         effect because they come after the end of the run, were not chosen, or mean nothing."
        "(a trace that is longer than the run)" => "run_for: 11d\n"
    UnknownField "W0109" "a field that Kubernetes does not have":
        "The API server drops such a field, mostly with a warning; so does the simulator. `--strict` turns \
         this into an error."
        "spec: { nodeNmae: a }\n" => "spec: { nodeName: a }\n"
    NotRun "W0110" "a kind of object that is not run yet":
        "The object is valid, and a real cluster would act on it; the simulator passes it over. The message \
         says what happens instead. `--strict` turns this into an error."
        "kind: Deployment\n" => "kind: Pod\n"
}

/// How the explanation list is regenerated.
pub const REGENERATE: &str = "cargo run -- error --list > docs/errors.md";

impl Code {
    /// What people see: `E0103`.
    pub const fn number(self) -> &'static str {
        self.entry().number
    }

    /// Warnings have numbers with a W.
    pub fn severity(self) -> Severity {
        if self.number().starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// The code of a number, in either case.
    pub fn by_number(number: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.number().eq_ignore_ascii_case(number.trim()))
    }

    /// What `windtunnel error E0103` prints, in Markdown.
    pub fn explanation(self) -> String {
        let Entry { number, title, text, wrong, mended } = self.entry();
        let mut out = format!("## {number}: {title}\n\n{text}\n\n");
        for (word, example) in [("Wrong", wrong), ("Mended", mended)] {
            let _ = write!(out, "{word}:\n\n```text\n{}\n```\n\n", example.trim_end());
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }
}

/// The whole table in Markdown: the content of `docs/errors.md`.
pub fn list() -> String {
    let mut out = format!("# Errors and warnings\n\nGenerated by `{REGENERATE}`.\n");
    for code in Code::ALL {
        out.push('\n');
        out.push_str(&code.explanation());
    }
    out
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_number_of_its_own_and_text() {
        let numbers: Vec<&str> = Code::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "numbers rise, so none stands twice: {numbers:?}");
        for code in Code::ALL {
            let Entry { number, title, text, wrong, mended } = code.entry();
            let digits = number.strip_prefix(['E', 'W']).expect("E or W");
            assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{number}");
            assert!(title.len() > 8 && text.len() > 40 && text.ends_with('.'), "{number} lacks words");
            assert!(!wrong.is_empty() && !mended.is_empty() && wrong != mended, "{number} lacks examples");
            assert_eq!(Code::by_number(number), Some(*code));
        }
    }

    #[test]
    fn the_document_is_what_the_table_prints() {
        let document = include_str!("../../docs/errors.md");
        assert!(document == list(), "docs/errors.md is old; regenerate it: {REGENERATE}");
    }
}
