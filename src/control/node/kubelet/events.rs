//! What a kubelet writes into the events of a pod, and the words of it (K 3.10, K 8).
//!
//! An event is a few numbers until somebody prints it.

use crate::base::{Bytes, Span, Symbol, Symbols};
use crate::mark;

use super::admission::Rejection;

/// What happened to a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PodEvent {
    /// Its node refuses it.
    Rejected(Rejection),
    /// Its sandbox could not be created.
    SandboxFailed,
    /// An image is pulled.
    Pulling(Symbol),
    /// An image was there.
    Present(Symbol),
    /// An image was pulled.
    Pulled {
        /// Which one.
        image: Symbol,
        /// From the first byte asked for to the last.
        took: Span,
        /// The same with the wait for a place in line.
        waited: Span,
    },
    /// An image was not pulled.
    PullFailed(Symbol, PullFailure),
    /// An image is not pulled yet.
    PullBackoff(Symbol),
    /// An image that is never pulled is not there.
    NeverPulled(Symbol),
    /// A container cannot be started now.
    Error(ContainerError),
    /// A container was created.
    Created,
    /// A container was started.
    Started,
    /// A container is stopped.
    Killing,
    /// A container is not started again yet.
    CrashBackoff,
}

/// Why an image was not pulled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PullFailure {
    /// The registry did not give it.
    Registry,
    /// There were too many pulls.
    Rate,
}

/// Why a container cannot be started now: also the reason for which it waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "words of the original")]
pub enum ContainerError {
    ErrImagePull,
    ImagePullBackOff,
    ErrImageNeverPull,
    CreateContainerError,
}

/// Who an event is about, and what only others know of it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The namespace of the pod.
    pub namespace: &'a str,
    /// The name of the pod.
    pub name: &'a str,
    /// The uid of the pod.
    pub uid: &'a str,
    /// The name of the container; empty for an event of the whole pod.
    pub container: &'a str,
    /// The size of the image, if the event is about one.
    pub image: Bytes,
}

impl PodEvent {
    /// Whether its type is `Warning`, else `Normal`.
    pub const fn is_warning(self) -> bool {
        match self {
            PodEvent::Rejected(_)
            | PodEvent::SandboxFailed
            | PodEvent::PullFailed(..)
            | PodEvent::NeverPulled(_)
            | PodEvent::Error(_)
            | PodEvent::CrashBackoff => true,
            PodEvent::Pulling(_)
            | PodEvent::Present(_)
            | PodEvent::Pulled { .. }
            | PodEvent::PullBackoff(_)
            | PodEvent::Created
            | PodEvent::Started
            | PodEvent::Killing => false,
        }
    }

    /// A number for each kind.
    pub const fn number(self) -> u64 {
        match self {
            PodEvent::Rejected(_) => 1,
            PodEvent::SandboxFailed => 2,
            PodEvent::Pulling(_) => 3,
            PodEvent::Present(_) => 4,
            PodEvent::Pulled { .. } => 5,
            PodEvent::PullFailed(..) => 6,
            PodEvent::PullBackoff(_) => 7,
            PodEvent::NeverPulled(_) => 8,
            PodEvent::Error(_) => 9,
            PodEvent::Created => 10,
            PodEvent::Started => 11,
            PodEvent::Killing => 12,
            PodEvent::CrashBackoff => 13,
        }
    }

    /// Its reason.
    pub fn reason(self, symbols: &Symbols) -> String {
        let reason = match self {
            PodEvent::Rejected(rejection) => return rejection.reason(symbols),
            PodEvent::SandboxFailed => "FailedCreatePodSandBox",
            PodEvent::Pulling(_) => "Pulling",
            PodEvent::Present(_) | PodEvent::Pulled { .. } => "Pulled",
            PodEvent::PullFailed(..) | PodEvent::Error(_) => "Failed",
            PodEvent::PullBackoff(_) | PodEvent::CrashBackoff => "BackOff",
            PodEvent::NeverPulled(_) => "ErrImageNeverPull",
            PodEvent::Created => "Created",
            PodEvent::Started => "Started",
            PodEvent::Killing => "Killing",
        };
        reason.to_owned()
    }

    /// Its message.
    ///
    /// ```
    /// use windtunnel::base::{Bytes, Symbols};
    /// use windtunnel::control::node::kubelet::{About, PodEvent};
    /// let about =
    ///     About { namespace: "shop", name: "web-0", uid: "7", container: "app", image: Bytes::new(0) };
    /// let message = PodEvent::CrashBackoff.message(&about, &Symbols::default());
    /// assert_eq!(message, "Back-off restarting failed container app in pod web-0_shop(7)");
    /// ```
    pub fn message(self, about: &About<'_>, symbols: &Symbols) -> String {
        let quoted = |image: Symbol| format!("{:?}", symbols.text(image));
        match self {
            PodEvent::Rejected(rejection) => rejection.message(symbols),
            PodEvent::SandboxFailed => "Failed to create pod sandbox".to_owned(),
            PodEvent::Pulling(image) => format!("Pulling image {}", quoted(image)),
            PodEvent::Present(image) => {
                mark!("K 3.10 an image that is there may be used by the pod");
                format!(
                    "Container image {} already present on machine and can be accessed by the pod",
                    quoted(image)
                )
            }
            PodEvent::Pulled { image, took, waited } => format!(
                "Successfully pulled image {} in {} ({} including waiting). Image size: {} bytes.",
                quoted(image),
                go_duration(took),
                go_duration(waited),
                about.image.bytes()
            ),
            PodEvent::PullFailed(image, PullFailure::Registry) => {
                format!("Failed to pull image {}: the registry did not deliver it", quoted(image))
            }
            PodEvent::PullFailed(image, PullFailure::Rate) => {
                format!("Failed to pull image {}: pull QPS exceeded", quoted(image))
            }
            PodEvent::PullBackoff(image) => format!("Back-off pulling image {}", quoted(image)),
            PodEvent::NeverPulled(image) => {
                format!("Container image {} is not present with pull policy of Never", quoted(image))
            }
            PodEvent::Error(error) => format!("Error: {error:?}"),
            PodEvent::Created => "Container created".to_owned(),
            PodEvent::Started => "Container started".to_owned(),
            PodEvent::Killing => format!("Stopping container {}", about.container),
            PodEvent::CrashBackoff => {
                let About { namespace, name, uid, container, .. } = about;
                format!("Back-off restarting failed container {container} in pod {name}_{namespace}({uid})")
            }
        }
    }
}

/// A duration in the words of Go, cut to milliseconds: `1m2.5s`.
fn go_duration(span: Span) -> String {
    let millis = span.as_nanos() / 1_000_000;
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    if millis < 1000 {
        return if millis == 0 { "0s".to_owned() } else { format!("{millis}ms") };
    }
    let seconds = match rest % 1000 {
        0 => format!("{}s", rest / 1000),
        part => format!("{}.{}s", rest / 1000, format!("{part:03}").trim_end_matches('0')),
    };
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes}m{seconds}"),
        (_, _) => format!("{hours}h{minutes}m{seconds}"),
    }
}
