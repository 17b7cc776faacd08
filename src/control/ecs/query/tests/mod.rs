//! Tables: an expression, an instance in one line, and the answer; an expression, an offset, and the
//! problem. An instance is written as words: `offline`, `v1.2.3`, `i-...`, `@date`, `#running tasks`,
//! `+task:group`, `name=value`, `name`; a `~` in a value is a space.

mod printing;
mod refusals;

use super::*;
use crate::base::mark::must_reach;

struct Instance {
    connected: bool,
    version: String,
    id: String,
    registered_at: Timestamp,
    running_tasks: u32,
    groups: Vec<String>,
    attributes: Vec<(String, Option<String>)>,
}

impl Instance {
    fn read(text: &str) -> Instance {
        let mut instance = Instance {
            connected: true,
            version: "1.105.1".into(),
            id: "i-abcd1234".into(),
            registered_at: Timestamp::from_nanos(0),
            running_tasks: 0,
            groups: Vec::new(),
            attributes: Vec::new(),
        };
        for word in text.split_whitespace() {
            let (first, rest) = word.split_at(1);
            match first {
                "#" => instance.running_tasks = rest.parse().unwrap(),
                "+" => instance.groups.push(rest.into()),
                "@" => {
                    let point: jiff::Timestamp = rest.parse().unwrap();
                    let nanos = u64::try_from(point.as_nanosecond()).unwrap();
                    instance.registered_at = Timestamp::from_nanos(nanos);
                }
                _ if word == "offline" => instance.connected = false,
                "v" if !word.contains('=') => instance.version = rest.into(),
                _ if word.starts_with("i-") => instance.id = word.into(),
                _ => {
                    let (name, value) =
                        word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                    instance.attributes.push((name.into(), value.map(|value| value.replace('~', " "))));
                }
            }
        }
        instance
    }
}

impl Candidate for Instance {
    fn agent_connected(&self) -> bool {
        self.connected
    }
    fn agent_version(&self) -> &str {
        &self.version
    }
    fn ec2_instance_id(&self) -> &str {
        &self.id
    }
    fn registered_at(&self) -> Timestamp {
        self.registered_at
    }
    fn running_tasks(&self) -> u32 {
        self.running_tasks
    }
    fn runs_group_where(&self, wanted: &dyn Fn(&str) -> bool) -> bool {
        self.groups.iter().any(|group| wanted(group))
    }
    fn attribute(&self, name: &str) -> Option<Option<&str>> {
        let found = self.attributes.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_deref())
    }
}

fn parse(text: &str) -> Expression {
    match Expression::parse(text) {
        Ok(parsed) => parsed.expression,
        Err(error) => panic!("{text}\n{error}"),
    }
}

fn matches_with(settings: Settings, text: &str, instance: &str) -> bool {
    let parsed = Expression::parse_with(text, settings).expect("the row's expression is good");
    parsed.expression.matches(&Instance::read(instance))
}

/// Each row must reach the line of the rule, give the answer, and print as text that means the same.
fn check(rules: &[&str], rows: &[(&str, &str, bool)]) {
    for (text, instance, expected) in rows {
        let instance_read = Instance::read(instance);
        let expression = must_reach(rules, || {
            let expression = parse(text);
            assert_eq!(expression.matches(&instance_read), *expected, "{text}   on   {instance}");
            expression
        });
        let printed = expression.to_string();
        assert_eq!(parse(&printed), expression, "{text} is printed as {printed}");
    }
}

#[test]
fn compound_expressions_group_and_quote_as_written() {
    const TRUE: &str = "a=1";
    check(
        &["PL-20"],
        &[
            // A or (B and C), from 14.7: only a wrong grouping is false on the first.
            ("runningTasksCount <= 2 or attribute:x == y and agentConnected == false", "#1", true),
            ("runningTasksCount <= 2 or attribute:x == y and agentConnected == false", "#9 x=y", false),
            (
                "runningTasksCount <= 2 or attribute:x == y and agentConnected == false",
                "#9 x=y offline",
                true,
            ),
            ("(runningTasksCount <= 2 or attribute:x == y) and agentConnected == false", "#1", false),
            ("attribute:x == y and agentConnected == false or runningTasksCount <= 2", "#1", true),
            ("attribute:a exists || attribute:b exists && attribute:c exists", TRUE, true),
            ("attribute:a exists OR attribute:b exists AND attribute:c exists", TRUE, true),
            ("ATTRIBUTE:a EXISTS And not attribute:b Exists", TRUE, true),
            ("RUNNINGTASKSCOUNT Less_Than 1", "", true),
            // A name and a value keep their case.
            ("attribute:stack == PROD", "stack=prod", false),
            // Not binds tighter than and, and than or.
            ("not attribute:a exists or attribute:a exists", TRUE, true),
            ("not attribute:b exists and attribute:b exists", TRUE, false),
            ("!attribute:a exists", TRUE, false),
            ("! attribute:b exists", TRUE, true),
            ("!(attribute:a exists and attribute:b exists)", TRUE, true),
            ("not(attribute:a exists)and(attribute:a exists)", TRUE, false),
            ("not not attribute:a exists", TRUE, true),
            ("!!!attribute:a exists", TRUE, false),
            ("((attribute:a exists or attribute:b exists) and (attribute:a exists))", TRUE, true),
            ("attribute:a==1", TRUE, true),
            ("attribute:a!=1", TRUE, false),
            ("  attribute:a\t==\n1  ", TRUE, true),
            // Where an argument ends.
            ("(attribute:a == 1)", TRUE, true),
            ("(attribute:x == f(1))", "x=f(1)", true),
            ("(attribute:x == a\\)", "x=a\\", true),
            ("attribute:x == a&&b", "x=a&&b", true),
            // Quotes.
            ("ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", "i-wxyx7890", true),
            ("ec2InstanceId in ['i-abcd1234', \"i-wxyx7890\"]", "i-wxyx7890", true),
            ("attribute:x == 'two words'", "x=two~words", true),
            ("attribute:x == \"it's\"", "x=it's", true),
            ("attribute:x == it's", "x=it's", true),
            ("attribute:x == ')'", "x=)", true),
            ("attribute:x == '[a]'", "x=[a]", true),
            ("attribute:x == ''", "x=", true),
            ("runningTasksCount < '3'", "#2", true),
            // Lists.
            ("attribute:x in [a,b]", "x=b", true),
            ("attribute:x in[ a , b ]", "x=b", true),
            ("attribute:x in [two words, b]", "x=two~words", true),
            ("attribute:x in ['a,b', 'c]']", "x=a,b", true),
            ("attribute:x in ['a,b', 'c]']", "x=a", false),
            ("attribute:x in [' a']", "x=a", false),
            ("attribute:x in a", "x=a", true),
        ],
    );
}

/// The vectors of section 14.7 together.
#[test]
fn vector_14_7() {
    let affine = "not(task:group == service:db) and attribute:ecs.instance-type =~ m5\\..*";
    let grouped = "runningTasksCount <= 2 or attribute:x == y and agentConnected == false";
    check(
        &["PL-23", "PL-25"],
        &[
            (affine, "ecs.instance-type=m5.large", true),
            (affine, "ecs.instance-type=m5a.large", false),
            (affine, "ecs.instance-type=m5.large +service:db", false),
        ],
    );
    check(&["PL-24"], &[("attribute:gpu exists", "", false), ("attribute:gpu exists", "gpu", true)]);
    check(
        &["PL-20"],
        &[(grouped, "#2", true), (grouped, "#3 x=y", false), (grouped, "#3 x=y offline", true)],
    );
}

#[test]
fn operators_mean_the_same_in_both_spellings() {
    check(
        &[],
        &[
            ("agentConnected == true", "", true),
            ("agentConnected equals false", "", false),
            ("agentConnected == FALSE", "offline", true),
            ("agentConnected != true", "offline", true),
            ("agentConnected not_equals true", "", false),
            ("agentConnected in [true, false]", "offline", true),
            ("agentConnected !in [true]", "", false),
            ("agentConnected not_in [true]", "offline", true),
            ("agentConnected =~ t.*", "", true),
            ("agentConnected !~ t.*", "", false),
            ("ec2InstanceId == i-abcd1234", "", true),
            ("ec2InstanceId == i-abcd123", "", false),
            ("ec2InstanceId != i-abcd1234", "", false),
            ("ec2InstanceId !in [i-1, i-2]", "i-3", true),
            ("ec2InstanceId not_in [i-1, i-2]", "i-2", false),
            ("ec2InstanceId matches i-ab.*", "", true),
            ("ec2InstanceId not_matches i-ab.*", "", false),
            ("runningTasksCount == 3", "#3", true),
            ("runningTasksCount != 3", "#3", false),
            ("runningTasksCount > 3", "#3", false),
            ("runningTasksCount >= 3", "#3", true),
            ("runningTasksCount < 3", "#3", false),
            ("runningTasksCount <= 3", "#3", true),
            ("runningTasksCount < 10", "#9", true),
            ("runningTasksCount < 18446744073709551615", "#9", true),
        ],
    );
}

#[test]
fn versions_compare_as_dotted_numbers() {
    check(
        &["PL-21"],
        &[
            ("agentVersion == 1.105.1", "", true),
            ("agentVersion == 1.105.1.0", "", true),
            ("agentVersion == 1.105", "v1.105.0", true),
            ("agentVersion != 1.105.1", "", false),
            ("agentVersion > 1.99", "", true),
            ("agentVersion greater_than 1.105.1", "", false),
            ("agentVersion >= 1.105.1", "", true),
            ("agentVersion greater_than_equal 1.105.1.1", "", false),
            ("agentVersion < 1.105.2", "", true),
            ("agentVersion less_than 1.9", "", false),
            ("agentVersion < 2", "v1.999", true),
            ("agentVersion <= 1.105", "", false),
            ("agentVersion less_than_equal 1.105.1", "", true),
            // What is no version differs, and is neither more nor less.
            ("agentVersion == 1", "vdev", false),
            ("agentVersion != 1", "vdev", true),
            ("agentVersion >= 0", "vdev", false),
            ("agentVersion < 9", "v1.2-rc", false),
        ],
    );
}

#[test]
fn texts_that_are_numbers_compare_as_numbers() {
    check(
        &["PL-21"],
        &[
            ("attribute:n < 10", "n=9", true),
            ("attribute:n greater_than 10", "n=9", false),
            ("attribute:n <= 9.0", "n=9", true),
            ("attribute:n >= 9.10", "n=9.1", true),
            ("attribute:n > 0.49", "n=0.5", true),
            ("attribute:n > -10", "n=-9", true),
            ("attribute:n < -1", "n=1", false),
            ("attribute:n < 1", "n=-1", true),
            ("attribute:n < 0", "n=-0", false),
            ("attribute:n > 99999999999999999999999999", "n=100000000000000000000000000", true),
            ("attribute:n less_than 10", "n=9a", false),
            ("attribute:n < b", "n=a", true),
            ("attribute:n >= b", "n=a", false),
            ("attribute:n < 10.", "n=9", false),
        ],
    );
    // Equality is of texts, in the case they are written.
    check(
        &[],
        &[
            ("attribute:A exists", "a", false),
            ("attribute:n == 9.0", "n=9", false),
            ("attribute:n != 9.0", "n=9", true),
        ],
    );
}

#[test]
fn registration_is_compared_by_the_second() {
    const AT: &str = "@2018-06-18T22:28:28.7Z";
    check(
        &["PL-22"],
        &[
            ("registeredAt == 2018-06-18T22:28:28", AT, true),
            ("registeredAt == 2018-06-18T22:28:28Z", AT, true),
            ("registeredAt == 2018-06-18T22:28:28+00:00", AT, true),
            ("registeredAt == 2018-06-19T00:28:28+02:00", AT, true),
            ("registeredAt == 2018-06-18T20:28:28-02:00", AT, true),
            ("registeredAt != 2018-06-18T22:28:28", AT, false),
            ("registeredAt == 2018-06-18", AT, false),
            ("registeredAt > 2018-06-18", AT, true),
            ("registeredAt greater_than 2018-06-19", AT, false),
            ("registeredAt > 2018-06-18T22:28:28Z", AT, false),
            ("registeredAt >= 2018-06-18T22:28:28Z", AT, true),
            ("registeredAt < 2018-06-18T22:28:29", AT, true),
            ("registeredAt <= 2018-06-18T22:28:27", AT, false),
            ("registeredAt > 1969-07-20", "@1970-01-01T00:00:00Z", true),
            ("registeredAt < 9999-01-01", AT, true),
            ("registeredAt > 0000-01-01", AT, true),
        ],
    );
}

#[test]
fn patterns_match_the_whole_value() {
    check(
        &["PL-23"],
        &[
            (
                "not(task:group == service:db) and attribute:ecs.instance-type =~ m5\\..*",
                "ecs.instance-type=m5.large",
                true,
            ),
            (
                "not(task:group == service:db) and attribute:ecs.instance-type =~ m5\\..*",
                "ecs.instance-type=m5a.large",
                false,
            ),
            (
                "not(task:group == service:db) and attribute:ecs.instance-type =~ m5\\..*",
                "ecs.instance-type=m5.large +service:db",
                false,
            ),
            ("attribute:ecs.instance-type =~ t3.*", "ecs.instance-type=t3.micro", true),
            ("attribute:x =~ rod", "x=prod", false),
            ("attribute:x =~ a|ab", "x=ab", true),
            ("attribute:x =~ a|b", "x=ab", false),
            ("attribute:x !~ a|b", "x=ab", true),
            ("attribute:x matches ^ab$", "x=ab", true),
            ("(attribute:x =~ (a|b)+)", "x=abba", true),
            ("(attribute:x =~ \\(a\\))", "x=(a)", true),
            ("attribute:x =~ [a-c]+", "x=cab", true),
            ("attribute:x =~ [^a-c]+", "x=cab", false),
            ("attribute:x =~ '[(]a b'", "x=(a~b", true),
            ("attribute:x =~ \\d{3}", "x=123", true),
            ("attribute:x =~ \\w+", "x=caf\u{e9}", false),
            ("attribute:x =~ (?i)prod", "x=PROD", true),
            ("attribute:x =~ [a-z0-9]{1,128}", "x=a1", true),
            ("attribute:x =~ .*?b", "x=aab", true),
            ("attribute:x =~ ''", "x=", true),
            ("attribute:x =~ a\\+\\+", "x=a++", true),
            ("attribute:x =~ [?+]+", "x=+?", true),
        ],
    );
}

#[test]
fn an_absent_attribute_differs_from_nothing() {
    check(
        &["PL-24"],
        &[
            ("attribute:stack == prod", "stack=prod", true),
            ("attribute:stack == prod", "stack=test", false),
            ("attribute:stack == prod", "", false),
            ("attribute:stack == prod", "stack", false),
            ("attribute:stack != prod", "stack=prod", false),
            ("attribute:stack != prod", "stack=test", true),
            ("attribute:stack != prod", "stack", true),
            ("attribute:stack != prod", "", false),
            ("not(attribute:stack == prod)", "", true),
            ("attribute:stack in [prod]", "", false),
            ("attribute:stack !in [prod]", "", false),
            ("attribute:stack not_in [prod]", "stack", true),
            ("attribute:stack !~ p.*", "", false),
            ("attribute:stack !~ p.*", "stack=test", true),
            ("attribute:stack =~ .*", "stack", false),
            ("attribute:stack =~ .*", "", false),
            ("attribute:stack < z", "", false),
            ("attribute:stack >= a", "stack", false),
            ("attribute:gpu exists", "", false),
            ("attribute:gpu exists", "gpu", true),
            ("attribute:gpu exists", "gpu=a10", true),
            ("attribute:gpu !exists", "gpu", false),
            ("attribute:gpu not_exists", "", true),
        ],
    );
}

#[test]
fn a_task_group_is_near_or_far() {
    const WEB: &str = "+service:web +batch";
    check(
        &["PL-25"],
        &[
            ("task:group == service:web", WEB, true),
            ("task:group equals service:db", WEB, false),
            ("task:group == service:web", "", false),
            ("not(task:group == service:web)", WEB, false),
            ("not(task:group == service:web)", "", true),
            ("task:group != service:web", WEB, false),
            ("task:group != service:db", WEB, true),
            ("task:group != service:db", "", false),
            ("task:group in [service:db, batch]", WEB, true),
            ("task:group !in [service:db, batch]", WEB, false),
            ("task:group !in [service:db]", WEB, true),
            ("task:group =~ service:.*", WEB, true),
            ("task:group !~ service:.*", WEB, false),
            ("task:group !~ service:.*", "+batch", true),
            ("task:group exists", WEB, true),
            ("task:group exists", "", false),
            ("task:group !exists", "", true),
            ("task:group !exists", WEB, false),
            ("task:group < c", WEB, true),
            ("task:group > c", WEB, true),
            ("task:group >= z", WEB, false),
            ("task:group <= batch", WEB, true),
        ],
    );
}

#[test]
fn the_examples_of_the_guide_hold() {
    let zones = "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]";
    let mixed = "(attribute:stack == prod or runningTasksCount < 5) and not(task:group == database)";
    check(
        &[],
        &[
            (zones, "ecs.availability-zone=us-east-1b", true),
            (zones, "ecs.availability-zone=us-east-1c", false),
            (mixed, "stack=prod #7", true),
            (mixed, "#4", true),
            (mixed, "#5", false),
            (mixed, "stack=prod +database", false),
        ],
    );
}

#[test]
fn assumed_readings_are_settings() {
    let published = Settings::default();
    //
    let flat = Settings { and_before_or: false, ..published };
    let text = "attribute:a exists or attribute:b exists and attribute:c exists";
    assert!(matches_with(published, text, "a"));
    assert!(!matches_with(flat, text, "a"));
    let printed = Expression::parse_with(text, flat).unwrap().expression.to_string();
    assert_eq!(printed, "(attribute:a exists or attribute:b exists) and attribute:c exists");
    let text = "attribute:a exists and attribute:b exists or attribute:c exists";
    let printed = Expression::parse_with(text, flat).unwrap().expression.to_string();
    assert_eq!(printed, "(attribute:a exists and attribute:b exists) or attribute:c exists");
    let part = Settings { patterns_match_whole_value: false, ..published };
    assert!(matches_with(part, "attribute:a =~ ro", "a=prod"));
    assert!(!matches_with(published, "attribute:a =~ ro", "a=prod"));
    let exact = Settings { keywords_ignore_case: false, ..published };
    for text in
        ["attribute:a Exists", "Attribute:a exists", "agentConnected == True", "NOT attribute:a exists"]
    {
        assert!(Expression::parse_with(text, exact).is_err(), "{text}");
        assert!(Expression::parse(text).is_ok(), "{text}");
    }
    //
    let texts = Settings { numeric_texts_compare_as_numbers: false, ..published };
    assert!(!matches_with(texts, "attribute:n < 10", "n=9"));
    //
    let loose = Settings { negations_need_attribute: false, ..published };
    assert!(matches_with(loose, "attribute:a !in [b]", ""));
    assert!(matches_with(loose, "attribute:a !~ b", ""));
    assert!(!matches_with(loose, "attribute:a in [b]", ""));
    assert!(!matches_with(loose, "attribute:a != b", ""));
}

#[test]
fn dependence_says_what_may_be_kept() {
    let rows = [
        ("attribute:a exists and attribute:b == c", "class"),
        ("attribute:a exists or ec2InstanceId == i-1", "fixed"),
        ("registeredAt < 2018-06-18", "fixed"),
        ("attribute:a exists and not(agentConnected == true)", "agent"),
        ("agentVersion < 2 and ec2InstanceId == i-1", "agent"),
        ("not(runningTasksCount > 3)", "running tasks"),
        ("task:group == a or task:group == b", "groups"),
        ("task:group == a or runningTasksCount == 0", "running tasks groups"),
    ];
    for (text, expected) in rows {
        let depends = parse(text).depends_on();
        let moves = [
            (depends.agent, "agent"),
            (depends.running_tasks, "running tasks"),
            (depends.task_groups, "groups"),
            (depends.is_one_per_class(), "class"),
            (depends.is_fixed() && !depends.is_one_per_class(), "fixed"),
        ];
        let named: Vec<&str> = moves.iter().filter(|(moves, _)| *moves).map(|(_, name)| *name).collect();
        assert_eq!(named.join(" "), expected, "{text}");
    }
}
