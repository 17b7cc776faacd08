//! Settings and quotas that a scenario replaces.

use serde_json::Value;

use crate::base::{Bandwidth, Span};
use crate::catalog::limits::{Bucket, EcsQuotas};
use crate::catalog::settings::SettingUnit;
use crate::engine::Quantiles;
use crate::scenario::calibration::{Calibration, is_used, unit};
use crate::scenario::codes::Code;
use crate::scenario::decode::refused;
use crate::scenario::diagnostic::{Diagnostic, quoted, suggestion};
use crate::scenario::distribution::{Counted, Distribution};
use crate::scenario::known_settings;
use crate::scenario::parameters::{PARAMETERS, parameter};
use crate::scenario::schema::Scenario;
use crate::scenario::text::Placed;
use crate::scenario::units::{Measured, Share, UnitError, millionths, plain_number};
use crate::world::settings::MILLION;

/// The quotas of the account.
pub(super) fn quotas(scenario: &Scenario, found: &mut Vec<Diagnostic>) -> EcsQuotas {
    let own = &scenario.account.quotas;
    let mut quotas = EcsQuotas::default();
    quotas.fargate_vcpus = own.fargate_vcpus.unwrap_or(quotas.fargate_vcpus);
    quotas.container_instances_per_cluster =
        own.container_instances.unwrap_or(quotas.container_instances_per_cluster);
    quotas.tasks_per_service = own.tasks_per_service.unwrap_or(quotas.tasks_per_service);
    if let Some(launches) = &own.fargate_launches {
        for number in [&launches.at_once, &launches.per_second] {
            if number.value == 0 {
                let message = "with a rate of zero no task would ever be launched";
                found.push(Diagnostic::new(Code::WrongValue, number.place, message));
            }
        }
        quotas.fargate_launches = Bucket::new(launches.at_once.value, launches.per_second.value);
    }
    quotas
}

/// The calibrated settings with those that the scenario replaces.
pub fn calibration(scenario: &Scenario) -> (Calibration, Vec<Diagnostic>) {
    let mut calibration = Calibration::default();
    let mut found = Vec::new();
    for (name, value) in &scenario.settings {
        if let Err(diagnostic) = replace(&mut calibration, name, value) {
            found.push(diagnostic);
        }
        let unused = unit(name).is_some() && !is_used(name);
        if unused {
            let message = format!("{} is set, but no model uses it yet", name.value);
            found.push(Diagnostic::new(Code::Unused, name.place, message));
        }
    }
    found.extend(crossed_ports(scenario, &calibration));
    (calibration, found)
}

fn replace(
    calibration: &mut Calibration,
    name: &Placed<String>,
    value: &Placed<Value>,
) -> Result<(), Diagnostic> {
    if let Some(parameter) = parameter(name) {
        return parameter
            .set(&mut calibration.tuning, &value.value)
            .map_err(|error| wrong(name, value, &error));
    }
    let unit = unit(name).ok_or_else(|| unknown(name))?;
    let quantiles = quantiles(unit, &value.value).map_err(|error| wrong(name, value, &error))?;
    calibration.replaced.insert(name.value.clone(), quantiles);
    Ok(())
}

/// A range of ports that ends before it begins.
fn crossed_ports(scenario: &Scenario, calibration: &Calibration) -> Option<Diagnostic> {
    let (first, last) = calibration.tuning.agent.dynamic_ports;
    let mut stated = PARAMETERS.iter().filter(|known| known.name.starts_with("ecs.agent.dynamic_ports."));
    let place = stated.find_map(|known| scenario.settings.get(known.name))?.place;
    let message = format!("dynamic host ports from {first} to {last} are none");
    (first > last).then(|| Diagnostic::new(Code::WrongValue, place, message))
}

fn unknown(name: &Placed<String>) -> Diagnostic {
    let wrong =
        Diagnostic::new(Code::UnknownKey, name.place, format!("there is no setting {:?}", name.value));
    let hint = suggestion(name, &known_settings::names());
    Diagnostic { hint, ..wrong }
}

fn wrong(name: &Placed<String>, value: &Placed<Value>, error: &UnitError) -> Diagnostic {
    let message = format!("{}: {}", name.value, error.message);
    Diagnostic { hint: error.hint.clone(), ..Diagnostic::new(error.code, value.place, message) }
}

fn quantiles(unit: SettingUnit, value: &Value) -> Result<Quantiles, UnitError> {
    match unit {
        SettingUnit::Seconds | SettingUnit::PerHour | SettingUnit::PerYear => spread::<Span>(value),
        SettingUnit::MegabytesPerSecond => spread::<Bandwidth>(value),
        SettingUnit::Megabytes => spread::<crate::base::Bytes>(value),
        SettingUnit::Probability => {
            let share = Share::read(value.as_str().unwrap_or(&value.to_string()))?;
            if share.0 > MILLION {
                let message = format!("a probability of {} is more than certain", share.canonical());
                return Err(UnitError { code: Code::WrongValue, message, hint: None });
            }
            Ok(Quantiles::constant(u64::from(share.0)))
        }
        SettingUnit::Ratio => {
            millionths(value.as_str().unwrap_or(&value.to_string())).map(Quantiles::constant)
        }
        SettingUnit::Count | SettingUnit::TasksPerMinute => match plain_number(value)? {
            0 => Err(mistake(Code::WrongValue, String::from("none at all would never end; 1 is the least"))),
            count => Ok(Quantiles::constant(count)),
        },
    }
}

/// A measured value, or a distribution of them.
fn spread<T: Counted>(value: &Value) -> Result<Quantiles, UnitError>
where
    Distribution<T>: for<'de> serde::Deserialize<'de>,
{
    match value {
        Value::String(text) => T::read(text).map(|value| Quantiles::constant(value.steps())),
        Value::Object(_) => serde_json::from_value::<Distribution<T>>(value.clone())
            .map(|spread| spread.quantiles())
            .map_err(|error| spread_mistake(&error.to_string())),
        Value::Number(_) => T::read(&value.to_string()).map(|_| Quantiles::constant(0)),
        Value::Null => Err(mistake(Code::WrongType, format!("{} is wanted, found nothing", T::WHAT))),
        Value::Bool(value) => Err(mistake(Code::WrongType, format!("{} is wanted, found {value}", T::WHAT))),
        Value::Array(_) => Err(mistake(Code::WrongType, format!("{} is wanted, found a list", T::WHAT))),
    }
}

/// Why a map is no distribution, in our words.
fn spread_mistake(text: &str) -> UnitError {
    if let Some((code, message, hint)) = refused(text) {
        return UnitError { code, message, hint };
    }
    let words = text.strip_prefix("unknown variant `").and_then(|rest| rest.split_once('`'));
    match words {
        Some((word, _)) => UnitError {
            hint: suggestion(word, &["lognormal", "uniform", "exponential"]),
            ..mistake(Code::UnknownChoice, format!("unknown word {}", quoted(word)))
        },
        None => mistake(Code::WrongDistribution, text.replace('`', "\"")),
    }
}

fn mistake(code: Code, message: String) -> UnitError {
    UnitError { code, message, hint: None }
}
