//! Machines: asked for, running, registered; and the hosts and agents on them.

use crate::base::{EntityKey, Handle, Name, Row, Timestamp};
use crate::catalog;
use crate::control::ecs::objects::{ContainerInstance, InstanceClass, InstanceStatus};
use crate::control::node::ecs_agent::{EcsAgent, HostCapacity};
use crate::world::{Host, HostSpec};

use crate::sim::event::Event;
use crate::sim::fact::Fact;
use crate::sim::plan::{Machine, Pool};
use crate::sim::simulation::{AgentSeat, MachineState, Process, Simulation};

impl Simulation<'_> {
    /// Asks for every machine of a pool, in turn over its subnets so that they are balanced.
    pub(in crate::sim) fn launch(&mut self, pool: &Pool) {
        for ordinal in 0..u64::from(pool.count) {
            let subnet = usize::try_from(ordinal % pool.classes.len() as u64).expect("a place in a list");
            let text = self.plan.definitions.symbols.text(pool.name);
            let machine = Machine {
                key: EntityKey::new("machine", text, ordinal),
                name: Name { of: pool.name, serial: ordinal },
                class: pool.classes[subnet],
                requested: pool.launch_at,
            };
            let row = Row::at(self.machines.len());
            self.machines.push(MachineState { machine, running: false });
            // A launch that fails is asked for again: the pool wants its number of machines.
            let launch = self.ec2.launch(pool.launch_at, machine.key);
            self.schedule(launch.running, Event::MachineRunning(row));
            self.schedule(launch.registered, Event::MachineRegistered(row));
        }
    }

    pub(in crate::sim) fn machine_runs(&mut self, row: Row<Machine>) {
        let state = &mut self.machines[row.index()];
        state.running = true;
        let machine = state.machine;
        self.tell(&Fact::MachineRunning(&machine));
    }

    /// The agent of a machine starts, finds out what it has, and registers it.
    pub(in crate::sim) fn register(&mut self, row: Row<Machine>) {
        let machine = self.machines[row.index()].machine;
        assert!(self.machines[row.index()].running, "a machine runs before its agent registers");
        let class = &self.plan.definitions[machine.class];
        let host = self.hosts.boot(HostSpec::ec2(machine.key));
        let instance = ContainerInstance {
            key: EntityKey::new("instance", self.plan.definitions.symbols.text(machine.name.of), machine.name.serial),
            name: machine.name,
            class: machine.class,
            status: InstanceStatus::Active,
            agent_connected: true,
            registered_at: self.now,
        };
        let seat = self.seat(host, capacity_of(class));
        let instance_row = self.record.create_instance(self.now, instance);
        self.agents.checked_mut(seat).expect("just seated").instance = Some(instance_row);
        put(&mut self.agent_of_instance, instance_row.index(), Some(seat));
        self.tell(&Fact::Registered(&instance));
    }

    /// Starts an agent on a host.
    pub(in crate::sim) fn seat(&mut self, host: Row<Host>, capacity: HostCapacity) -> Handle<AgentSeat> {
        let agent = EcsAgent::new(self.plan.ecs.agent.clone(), capacity);
        let seat = self.agents.insert(AgentSeat { process: Process::new(agent), host, instance: None });
        put(&mut self.agent_of_host, host.index(), Some(seat));
        seat
    }
}

fn capacity_of(class: &InstanceClass) -> HostCapacity {
    HostCapacity {
        cpu: class.cpu,
        memory: class.memory,
        gpus: class.gpus,
        reserved_ports: class.reserved_ports.clone(),
    }
}

/// Sets one entry of a list that grows as needed.
pub(in crate::sim) fn put<T: Clone>(list: &mut Vec<Option<T>>, index: usize, value: Option<T>) {
    if index >= list.len() {
        list.resize(index + 1, None);
    }
    list[index] = value;
}
