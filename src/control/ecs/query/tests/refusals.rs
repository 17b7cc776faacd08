//! What is refused, where, and why; what is accepted with a warning.

use super::super::{CHARACTERS_MAX, Caution, DEPTH_MAX, Expression, Problem, QueryError, Warning};
use crate::base::mark::must_reach;

#[test]
fn broken_expressions_say_where_and_what() {
    use Problem as P;
    let refused = |subject, operator| P::OperatorRefused { subject, operator };
    let rows: Vec<(&str, usize, Problem)> = vec![
        ("", 0, P::SubjectExpected),
        ("   ", 3, P::SubjectExpected),
        ("()", 1, P::SubjectExpected),
        ("not", 3, P::SubjectExpected),
        ("and attribute:a exists", 0, P::SubjectExpected),
        ("attribute:a exists or", 21, P::SubjectExpected),
        ("attribute:a exists and or", 23, P::SubjectExpected),
        ("== 3", 0, P::SubjectExpected),
        ("\u{e9}", 0, P::SubjectExpected),
        ("stack == prod", 0, P::SubjectUnknown("stack".into())),
        ("task:family == a", 0, P::SubjectUnknown("task:family".into())),
        ("attribute == a", 0, P::SubjectUnknown("attribute".into())),
        ("attribute: == a", 10, P::AttributeName),
        ("attribute:a:b == a", 10, P::AttributeName),
        ("attribute:a", 11, P::OperatorExpected),
        ("(attribute:a )", 13, P::OperatorExpected),
        ("attribute:a = b", 12, P::OperatorUnknown("=".into())),
        ("attribute:a like b", 12, P::OperatorUnknown("like".into())),
        ("attribute:a not in [b]", 12, P::OperatorUnknown("not".into())),
        ("attribute:a ! exists", 12, P::OperatorUnknown("!".into())),
        ("attribute:a\u{fc} exists", 11, P::OperatorUnknown("\u{fc}".into())),
        ("attribute:a ==", 14, P::ArgumentExpected),
        ("(attribute:a == )", 16, P::ArgumentExpected),
        ("attribute:a in []", 16, P::ArgumentExpected),
        ("attribute:a in [b,]", 18, P::ArgumentExpected),
        ("attribute:a in [,b]", 16, P::ArgumentExpected),
        ("attribute:a == [b]", 15, P::ListRefused),
        ("runningTasksCount < [3]", 20, P::ListRefused),
        ("attribute:a in b,c", 15, P::ListExpected),
        ("attribute:a in [b", 15, P::ListOpen),
        ("attribute:a in [b, ", 15, P::ListOpen),
        ("attribute:a in ['b'", 15, P::ListOpen),
        ("attribute:a == 'b", 15, P::QuoteOpen),
        ("attribute:a in [\"b]", 16, P::QuoteOpen),
        ("attribute:a == 'b'c", 18, P::QuoteFollowed),
        ("attribute:a in ['b'c]", 19, P::QuoteFollowed),
        ("(attribute:a == b", 0, P::ParenthesisOpen),
        ("not ((attribute:a exists)", 4, P::ParenthesisOpen),
        ("attribute:a == f(b", 16, P::ParenthesisOpen),
        ("attribute:a =~ [(]", 16, P::ParenthesisOpen),
        ("attribute:a == b)", 16, P::ParenthesisClosed),
        ("attribute:a == b c", 17, P::ConnectiveExpected),
        ("attribute:a exists b", 19, P::ConnectiveExpected),
        ("(attribute:a == b c)", 18, P::ConnectiveExpected),
        ("attribute:a exists & attribute:b exists", 19, P::ConnectiveExpected),
        ("agentConnected == yes", 18, P::NotBoolean),
        ("agentConnected in [true, 1]", 25, P::NotBoolean),
        ("agentVersion > 1.x", 15, P::NotVersion),
        ("agentVersion > 1..2", 15, P::NotVersion),
        ("agentVersion > 99999999999999999999", 15, P::NotVersion),
        ("registeredAt < yesterday", 15, P::NotDate),
        ("registeredAt < 2018-6-18", 15, P::NotDate),
        ("registeredAt < 2018-02-30", 15, P::NotDate),
        ("registeredAt < 2018-06-18T25:00:00", 15, P::NotDate),
        ("registeredAt < 2018-06-18T22:28", 15, P::NotDate),
        ("registeredAt < 2018-06-18Z", 15, P::NotDate),
        ("registeredAt < '2018-06-18 22:28:28'", 16, P::NotDate),
        ("registeredAt < 9999-12-31T23:59:59-23:00", 15, P::NotDate),
        ("registeredAt < 0000-01-01T00:00:00+23:00", 15, P::NotDate),
        ("runningTasksCount < -1", 20, P::NotCount),
        ("runningTasksCount < +1", 20, P::NotCount),
        ("runningTasksCount < 1.5", 20, P::NotCount),
        ("runningTasksCount == ''", 22, P::NotCount),
        ("attribute:a =~ a(?=b)", 16, P::PatternLooksAround),
        ("attribute:a =~ a(?!b)", 16, P::PatternLooksAround),
        ("attribute:a =~ (?<=b)a", 15, P::PatternLooksAround),
        ("attribute:a =~ '(?<!b)a'", 16, P::PatternLooksAround),
        ("attribute:a =~ a*+", 17, P::PatternAmbiguous),
        ("attribute:a =~ \\<a", 15, P::PatternAmbiguous),
        ("attribute:a =~ ((a{99}){99}){99}", 15, P::PatternTooLarge),
        ("attribute:a =~ [a", 15, P::PatternBroken("unclosed character class".into())),
        ("attribute:a =~ 'a)|(?:b'", 16, P::PatternBroken("unopened group".into())),
    ];
    for (text, at, what) in rows {
        assert_eq!(Expression::parse(text), Err(QueryError { at, what }), "{text}");
    }
    let refusals = [
        ("agentConnected exists", 15, refused("agentConnected", "exists")),
        ("agentConnected < true", 15, refused("agentConnected", "<")),
        ("ec2InstanceId greater_than i-1", 14, refused("ec2InstanceId", ">")),
        ("ec2InstanceId !exists", 14, refused("ec2InstanceId", "!exists")),
        ("agentVersion in [1]", 13, refused("agentVersion", "in")),
        ("agentVersion =~ 1.*", 13, refused("agentVersion", "=~")),
        ("registeredAt not_in [2018-06-18]", 13, refused("registeredAt", "!in")),
        ("runningTasksCount exists", 18, refused("runningTasksCount", "exists")),
        ("runningTasksCount !~ 1", 18, refused("runningTasksCount", "!~")),
    ];
    for (text, at, what) in refusals {
        let outcome = must_reach(&["PL-21"], || Expression::parse(text));
        assert_eq!(outcome, Err(QueryError { at, what }), "{text}");
    }
}

#[test]
fn limits_are_named_and_kept() {
    let padded = |characters: usize| format!("{:\u{3000}<characters$}", "attribute:a exists");
    assert!(Expression::parse(&padded(CHARACTERS_MAX)).is_ok());
    let error = must_reach(&["PL-26"], || Expression::parse(&padded(CHARACTERS_MAX + 1)).unwrap_err());
    assert_eq!(error, QueryError { at: 18 + 3 * (CHARACTERS_MAX - 18), what: Problem::TooLong });
    for opening in ["(", "!", "not ", "not("] {
        let nested = |levels: usize| {
            let closing = if opening.ends_with('(') { ")".repeat(levels) } else { String::new() };
            Expression::parse(&format!("{}attribute:a exists{closing}", opening.repeat(levels)))
        };
        assert!(nested(DEPTH_MAX).is_ok(), "{opening}");
        let what = Problem::TooDeep;
        assert_eq!(nested(DEPTH_MAX + 1), Err(QueryError { at: opening.len() * (DEPTH_MAX + 1), what }));
    }
    let name = |length: usize| Expression::parse(&format!("attribute:{} exists", "n".repeat(length)));
    assert!(name(128).is_ok());
    assert_eq!(name(129).unwrap_err().what, Problem::AttributeName);
}

#[test]
fn warnings_stand_at_their_place() {
    let lone = |at| Warning { at, what: Caution::LonePredicate };
    let bare = |at| Warning { at, what: Caution::BareList };
    let rows: [(&str, Vec<Warning>); 6] = [
        ("(attribute:a exists)", vec![lone(0)]),
        ("not(attribute:a exists)", vec![]),
        ("not((attribute:a exists))", vec![lone(4)]),
        ("(attribute:a exists) and (attribute:b exists or attribute:c exists)", vec![lone(0)]),
        ("attribute:a in b or (attribute:a exists)", vec![bare(15), lone(20)]),
        ("attribute:a in [b]", vec![]),
    ];
    for (text, warnings) in rows {
        let parsed = must_reach(&["PL-20"], || Expression::parse(text).unwrap());
        assert_eq!(parsed.warnings, warnings, "{text}");
    }
}
