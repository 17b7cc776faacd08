//! The agent obeys the laws of every reconciler, against a host that answers at random.

use super::super::*;
use super::bench::definition;
use crate::base::runtime::{ContainerId, Pull};
use crate::base::{Bytes, Cpu};
use crate::control::laws;

/// A host that answers at random.
struct RandomHost {
    definitions: Definitions,
    tasks: u32,
    owed: Vec<RuntimeCommand>,
    running: Vec<ContainerId>,
}

impl laws::Rig for RandomHost {
    type Machine = EcsAgent;

    fn machine(&self, now: Timestamp) -> EcsAgent {
        EcsAgent::new(now, AgentSettings::default(), &HostCapacity::new(Cpu::vcpus(1), Bytes::mib(1000)))
    }

    fn view(&self) -> AgentView<'_> {
        AgentView { definitions: &self.definitions }
    }

    fn tell(&mut self, now: Timestamp, dice: &mut laws::Dice, machine: &mut EcsAgent) {
        let place = |dice: &mut laws::Dice, len: usize| usize::try_from(dice.below(len as u64)).unwrap();
        let change = match dice.below(10) {
            0..=1 => {
                self.tasks += 1;
                let key = EntityKey::new("task", "any", u64::from(self.tasks));
                let definition = Row::at(place(dice, self.definitions.tasks.len()));
                AgentChange::Payload { task: SandboxId(self.tasks), key, definition }
            }
            2 => AgentChange::StopTask { task: SandboxId(u32::try_from(dice.below(99)).unwrap()) },
            3 if !self.running.is_empty() => {
                let at = place(dice, self.running.len());
                let container = self.running.swap_remove(at);
                AgentChange::Runtime(RuntimeEvent::Exited { container, code: 1, out_of_memory: false })
            }
            4 if !self.running.is_empty() => {
                let container = self.running[place(dice, self.running.len())];
                AgentChange::Runtime(RuntimeEvent::Health { container, healthy: dice.below(2) == 0 })
            }
            _ if self.owed.is_empty() => return,
            _ => {
                let at = place(dice, self.owed.len());
                match self.owed.swap_remove(at) {
                    RuntimeCommand::Pull { container, .. } => {
                        let result = [Pull::Done, Pull::Failed { cached: dice.below(2) == 0 }];
                        let result = result[place(dice, 2)];
                        AgentChange::Runtime(RuntimeEvent::Pulled { container, result })
                    }
                    RuntimeCommand::Start { container, .. } => {
                        let ok = dice.below(5) > 0;
                        if ok {
                            self.running.push(container);
                        }
                        AgentChange::Runtime(RuntimeEvent::Started { container, ok })
                    }
                    RuntimeCommand::Stop { container, .. } => {
                        self.running.retain(|known| *known != container);
                        AgentChange::Runtime(RuntimeEvent::Exited {
                            container,
                            code: 143,
                            out_of_memory: false,
                        })
                    }
                    RuntimeCommand::Prepare { .. }
                    | RuntimeCommand::Remove { .. }
                    | RuntimeCommand::RemoveImage { .. } => return,
                }
            }
        };
        assert_eq!(machine.held(), machine.recount(self.view()));
        machine.observe(now, change);
    }

    fn take(&mut self, _: Ticket, command: &AgentCommand) {
        if let AgentCommand::Runtime(command) = command {
            self.owed.push(*command);
        }
    }
}

#[test]
fn the_agent_obeys_the_laws() {
    let rig = || {
        let mut definitions = Definitions::default();
        for text in [
            "one 300M: a/restart=60",
            "web 400M p80: a<b:healthy/stop=60 b/check/timeout=60 c?",
            "job 600M c600: a<b:success b? c?<a:start/ports=1",
        ] {
            let definition = definition(text, &mut definitions);
            definitions.tasks.push(definition);
        }
        RandomHost { definitions, tasks: 0, owed: Vec::new(), running: Vec::new() }
    };
    laws::check(rig, 40, 400);
}
