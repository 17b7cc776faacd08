//! Normalised text, and the properties: nothing panics, and what is printed parses to itself.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::super::value::Moment;
use super::super::{CHARACTERS_MAX, Expression};
use super::parse;

#[test]
fn normalised_text_is_short_and_regular() {
    let rows = [
        ("ATTRIBUTE:a   EXISTS", "attribute:a exists"),
        ("(attribute:a not_exists)", "attribute:a !exists"),
        (
            "((attribute:a exists || attribute:b exists) || attribute:c exists)",
            "attribute:a exists or attribute:b exists or attribute:c exists",
        ),
        (
            "attribute:a exists && (attribute:b exists || attribute:c exists)",
            "attribute:a exists and (attribute:b exists or attribute:c exists)",
        ),
        (
            "(attribute:a exists and attribute:b exists) or attribute:c exists",
            "attribute:a exists and attribute:b exists or attribute:c exists",
        ),
        ("!attribute:a equals 'b'", "not(attribute:a == b)"),
        ("attribute:a in ['b' ,\"c d\",'e,f']", "attribute:a in [b, c d, 'e,f']"),
        ("attribute:a == \"it's so\"", "attribute:a == \"it's so\""),
        ("registeredAt less_than 2018-06-18", "registeredAt < 2018-06-18T00:00:00Z"),
        ("agentVersion >= 01.020", "agentVersion >= 1.20"),
        ("agentConnected == TRUE", "agentConnected == true"),
        ("attribute:a =~ '\\(b'", "attribute:a =~ \\(b"),
    ];
    for (text, normal) in rows {
        assert_eq!(parse(text).to_string(), normal, "{text}");
    }
}

#[test]
fn moments_print_as_they_are_read() {
    for text in ["0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-30T21:59:59Z"] {
        assert_eq!(Moment::parse(text).expect("it is a date").to_string(), text);
    }
}

/// Pieces that make texts which are nearly expressions, or quite; a `;` stands between two.
const PIECES: &str = "(;);not;!; and ; or ;&&;||; ;agentConnected;agentVersion;ec2InstanceId;registeredAt;\
    runningTasksCount;task:group;attribute:a;==;!=;>;>=;<;<=; in ;!in;=~;!~; exists;!exists;[;];,;';\";\\;\
    true;1.2;7;2018-06-18;(a|b)*;[a-c]+;{2};\u{e9};\u{a0};a'b";

/// One good predicate; the argument comes as a word.
fn predicate() -> impl Strategy<Value = String> {
    let argument =
        prop_oneof!["[a-z(),'\\[\\]\\\\ ]{0,6}", "[a-z0-9.]{1,6}"].prop_map(|text| format!("\"{text}\""));
    let bare = "[a-z0-9:'\"\\\\]{0,3}".prop_map(|rest| format!("v{rest}"));
    let argument = prop_oneof![argument, bare];
    let list = prop::collection::vec("[a-z(' ]{1,4}".prop_map(|rest| format!("v{rest}")), 1..4);
    let subject = prop::sample::select(vec!["attribute:a", "task:group", "attribute:ecs.os-type"]);
    let relation = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "equals", "less_than"]);
    prop_oneof![
        (subject.clone(), relation, argument.clone()).prop_map(|(s, r, a)| format!("{s} {r} {a}")),
        (subject.clone(), list).prop_map(|(s, l)| format!("{s} !in [{}]", l.join(","))),
        (subject, argument).prop_map(|(s, a)| format!("{s} in {a}")),
        "[a-z.|*]{0,5}".prop_map(|p| format!("ec2InstanceId =~ 'i-{p}'")),
        (0u32..9).prop_map(|n| format!("runningTasksCount <= {n}")),
        Just("registeredAt > 2018-06-18".to_owned()),
        Just("agentVersion != 1.2.0".to_owned()),
        Just("attribute:gpu not_exists".to_owned()),
    ]
}

fn compound() -> impl Strategy<Value = String> {
    predicate().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || {b}")),
            inner.clone().prop_map(|a| format!("({a} )")),
            inner.clone().prop_map(|a| format!("not ({a} )")),
            inner.prop_map(|a| format!("!{a}")),
        ]
    })
}

fn round_trips(text: &str) -> Result<bool, TestCaseError> {
    let Ok(parsed) = Expression::parse(text) else {
        return Ok(false);
    };
    let printed = parsed.expression.to_string();
    if printed.chars().count() <= CHARACTERS_MAX {
        let again = Expression::parse(&printed);
        prop_assert_eq!(again.map(|again| again.expression), Ok(parsed.expression), "{}", printed);
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        round_trips(&text)?;
    }

    #[test]
    fn nearly_good_text_is_answered(pieces in prop::collection::vec(prop::sample::select(PIECES.split(';').collect::<Vec<_>>()), 0..14)) {
        round_trips(&pieces.concat())?;
    }

    #[test]
    fn an_argument_of_any_text_round_trips(argument in "\\PC{0,20}", operator in prop::sample::select(vec!["==", "=~", "in", "<"])) {
        round_trips(&format!("attribute:a {operator} {argument}"))?;
        round_trips(&format!("not(attribute:a {operator} '{argument}' )"))?;
        round_trips(&format!("attribute:a in [{argument}]"))?;
    }

    #[test]
    fn a_printed_expression_parses_to_itself(text in compound()) {
        round_trips(&text)?;
    }
}

#[test]
fn most_generated_expressions_are_good() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = compound();
    let is_good = |_| {
        let text = strategy.new_tree(&mut runner).expect("a text is made").current();
        Expression::parse(&text).is_ok()
    };
    let good = (0..400).map(is_good).filter(|good| *good).count();
    assert!(good > 200, "the round trip is tested on {good} of 400");
}
