//! `windtunnel error`: what a code means.

use super::args::ErrorCode;
use super::{Exit, say, warn};
use crate::scenario::Code;
use crate::scenario::codes;
use crate::scenario::diagnostic::suggestion;

pub(super) fn error(asked: &ErrorCode) -> Exit {
    if asked.list {
        say(&codes::list());
        return Exit::Good;
    }
    let number = asked.code.as_deref().unwrap_or_default();
    if let Some(code) = Code::by_number(number) {
        say(&code.explanation());
        return Exit::Good;
    }
    let known: Vec<&str> = Code::ALL.iter().map(|code| code.number()).collect();
    let hint = suggestion(&number.to_uppercase(), &known)
        .unwrap_or("`windtunnel error --list` prints all".to_owned());
    warn(&format!("there is no code {number:?}; {hint}\n"));
    Exit::WrongInput
}
