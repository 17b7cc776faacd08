//! Machines: asked for, running, registered; and the hosts and agents on them.

use std::sync::Arc;

use crate::base::Span;
use crate::base::{EntityKey, Handle, Name, Row};
use crate::control::ecs::objects::{ContainerInstance, InstanceClass, InstanceStatus};
use crate::control::node::ecs_agent::{EcsAgent, HostCapacity};
use crate::mark;
use crate::sim::event::Event;
use crate::sim::fact::Fact;
use crate::sim::plan::Machine;
use crate::sim::simulation::{AgentSeat, Process, Simulation, number_32};
use crate::world::ec2::{LaunchRequest, Outcome};
use crate::world::host::{Host, HostKind};

/// Machines per launch call: the burst of the bucket of instances (section 9.3).
const MACHINES_PER_CALL: u32 = 1000;

impl Simulation<'_> {
    /// A pool asks for the machines that it still wants, one call per subnet, when the API lets it.
    pub(in crate::sim) fn launch(&mut self, number: u32) {
        let pool = &self.plan.pools[number as usize];
        let pool_text = self.plan.definitions.symbols.text(pool.name);
        for (nth, &class) in pool.classes.iter().enumerate() {
            while self.wanted[number as usize][nth] > 0 {
                let count = self.wanted[number as usize][nth].min(MACHINES_PER_CALL);
                let first = self.machine_serials[number as usize];
                let serials = first..first + u64::from(count);
                let keys: Vec<EntityKey> =
                    serials.clone().map(|serial| EntityKey::new("machine", pool_text, serial)).collect();
                let request = LaunchRequest {
                    pool: EntityKey::new("pool", pool_text, 0),
                    n: self.launch_calls[number as usize],
                    machines: &keys,
                    user_data: Span::ZERO,
                };
                let launches = match self.ec2.launch(self.now, request) {
                    Ok(launches) => launches,
                    Err(throttled) => {
                        self.schedule(throttled.until, Event::Launch(number));
                        return;
                    }
                };
                self.launch_calls[number as usize] += 1;
                self.wanted[number as usize][nth] -= count;
                self.machine_serials[number as usize] = serials.end;
                for ((serial, key), launch) in serials.zip(keys).zip(launches) {
                    let row = Row::at(self.machines.len());
                    let name = Name { of: pool.name, serial };
                    self.machines.push(Machine { key, name, class, requested: self.now });
                    match launch.outcome {
                        Outcome::Registers(at) => {
                            self.schedule(launch.running, Event::MachineRunning(row));
                            self.schedule(at, Event::MachineRegistered(row));
                        }
                        Outcome::Fails => {
                            let failed = Event::LaunchFailed { pool: number, subnet: number_32(nth) };
                            self.schedule(launch.running, failed);
                        }
                    }
                }
            }
        }
    }

    /// A launch failed: the pool asks again.
    pub(in crate::sim) fn launch_again(&mut self, pool: u32, subnet: u32) {
        self.wanted[pool as usize][subnet as usize] += 1;
        self.launch(pool);
    }

    pub(in crate::sim) fn machine_runs(&mut self, row: Row<Machine>) {
        let machine = self.machines[row.index()];
        self.tell(&Fact::MachineRunning(&machine));
    }

    /// The agent of a machine starts, finds out what it has, and registers it.
    pub(in crate::sim) fn register(&mut self, row: Row<Machine>) {
        let machine = self.machines[row.index()];
        let class = &self.plan.definitions[machine.class];
        let host = self.hosts.boot(self.now, machine.key, HostKind::Instance { baked: &[] });
        let pool = self.plan.definitions.symbols.text(machine.name.of);
        mark!("CI-01");
        let instance = ContainerInstance {
            key: EntityKey::new("instance", pool, machine.name.serial),
            name: machine.name,
            class: machine.class,
            status: InstanceStatus::Active,
            agent_connected: true,
            registered_at: self.now,
        };
        let seat = self.seat(host, &capacity_of(class));
        let instance_row = self.record.create_instance(self.now, instance);
        put(&mut self.agent_of_instance, instance_row.index(), Some(seat));
        self.tell(&Fact::Registered { instance: &instance, row: instance_row });
    }

    /// Starts an agent on a host.
    pub(in crate::sim) fn seat(&mut self, host: Row<Host>, capacity: &HostCapacity) -> Handle<AgentSeat> {
        let agent = EcsAgent::new(self.now, Arc::clone(&self.plan.ecs.agent), capacity);
        let seat = self.agents.insert(AgentSeat { process: Process::new(agent), host });
        put(&mut self.agent_of_host, host.index(), Some(seat));
        seat
    }
}

fn capacity_of(class: &InstanceClass) -> HostCapacity {
    HostCapacity {
        gpus: class.gpus,
        reserved_ports: class.reserved_ports.clone(),
        ..HostCapacity::new(class.cpu, class.memory)
    }
}

/// Sets one entry of a list that grows as needed.
pub(in crate::sim) fn put<T: Clone>(list: &mut Vec<Option<T>>, index: usize, value: Option<T>) {
    if index >= list.len() {
        list.resize(index + 1, None);
    }
    list[index] = value;
}
