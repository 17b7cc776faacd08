//! Demand: who asks for tasks, when, and what a caller does whose call failed.
//!
//! Processes of arrivals and traces make RunTask calls; calls wait in line for the API. Knows nothing of
//! what becomes of a task.

use crate::base::{EntityKey, Name, Row, Span, Timestamp};
use crate::control::Reconciler;
use crate::control::ecs::objects::{Service, TaskRequest};
use crate::control::ecs::scheduler::{Call, EcsChange};
use crate::sim::event::Event;
use crate::sim::fact::Fact;
use crate::sim::plan::Replay;
use crate::sim::simulation::{Simulation, TraceFault, number_32};
use crate::workload::trace::{Arrived, Lifetime, Playback};

/// Tasks per RunTask call (section 9.1).
const CALL_TASKS_MAX: u64 = 10;

/// A trace that is being replayed, and its next row.
#[derive(Debug)]
pub(in crate::sim) struct Player {
    playback: Playback,
    next: Option<Arrived>,
}

impl Simulation<'_> {
    /// A service is created.
    pub(in crate::sim) fn create_service(&mut self, number: u32) {
        let (_, definition) = self.plan.services[number as usize];
        let name = self.plan.definitions[definition].name;
        let service = Service {
            key: EntityKey::new("service", self.plan.definitions.symbols.text(name), 0),
            definition,
            desired_count: self.plan.definitions[definition].desired_count,
            created_at: self.now,
        };
        self.record.create_service(self.now, service);
    }

    /// Puts the first arrival of every process and of every trace on the agenda.
    pub(in crate::sim) fn begin_demand(&mut self) {
        for number in 0..self.plan.arrivals.len() {
            self.schedule_arrival(number_32(number));
        }
        for (number, replay) in self.plan.traces.iter().enumerate() {
            let Replay { source, shape, hash, pace, key, .. } = replay;
            match Playback::open(source.as_ref(), shape, hash, pace, *key) {
                Ok(playback) => self.players.push(Some(Player { playback, next: None })),
                Err(fault) => {
                    self.trace_fault = Some(TraceFault { trace: number_32(number), line: fault.line });
                    self.players.push(None);
                }
            }
            self.turn_over(number);
        }
    }

    /// A process makes its next RunTask call. Callers wait in line for the API; the process goes on.
    pub(in crate::sim) fn arrive(&mut self, number: u32) {
        let row = self.plan.arrivals[number as usize].request;
        let request = &self.plan.definitions[row];
        if !request.client_token.is_some_and(|token| self.tokens.is_repeat(self.now, token)) {
            self.ask(row, u64::from(request.count), Lifetime::Unknown);
        }
        self.schedule_arrival(number);
    }

    fn schedule_arrival(&mut self, number: u32) {
        let arrivals = &self.plan.arrivals[number as usize].arrivals;
        if let Some(at) = arrivals.next(&self.luck, &mut self.walks[number as usize]) {
            self.schedule(at, Event::Arrive(number));
        }
    }

    /// Every row of a trace that has come.
    pub(in crate::sim) fn replay(&mut self, number: u32) {
        let replay = &self.plan.traces[number as usize];
        while let Some(arrived) = self.players[number as usize].as_ref().and_then(|player| player.next)
            && replay.from + arrived.at == self.now
        {
            let found = replay.requests.binary_search_by_key(&arrived.size, |(size, _)| *size);
            let Ok(place) = found else {
                return self.lose_trace(number as usize, None);
            };
            self.ask(replay.requests[place].1, u64::from(arrived.count), arrived.lifetime);
            if !self.read_on(number as usize) {
                return;
            }
        }
        self.schedule_row(number as usize);
    }

    /// Reads the first row of a trace and puts it on the agenda.
    fn turn_over(&mut self, number: usize) {
        if self.read_on(number) {
            self.schedule_row(number);
        }
    }

    /// Reads the next row of a trace; whether there is one.
    fn read_on(&mut self, number: usize) -> bool {
        let Some(player) = &mut self.players[number] else { return false };
        match player.playback.next_arrival(&self.luck) {
            Ok(next) => {
                player.next = next;
                next.is_some()
            }
            Err(fault) => {
                self.lose_trace(number, Some(fault.line));
                false
            }
        }
    }

    fn schedule_row(&mut self, number: usize) {
        let replay = &self.plan.traces[number];
        let next = self.players[number].as_ref().and_then(|player| player.next);
        let at = next.and_then(|next| replay.from.checked_add(next.at)).filter(|&at| at < replay.until);
        match at {
            Some(at) => self.schedule(at, Event::Replay(number_32(number))),
            None => self.players[number] = None,
        }
    }

    /// A trace is no longer what the plan was made from: the run cannot go on.
    fn lose_trace(&mut self, number: usize, line: Option<u64>) {
        self.trace_fault = Some(TraceFault { trace: number_32(number), line: line.unwrap_or_default() });
        self.players[number] = None;
    }

    /// Asks for so many tasks, in as few calls as the API allows.
    fn ask(&mut self, row: Row<TaskRequest>, count: u64, lifetime: Lifetime) {
        let request = &self.plan.definitions[row];
        let next = self.serials.get_or_insert_with(request.name, || 0);
        let (mut first, end) = (*next, *next + count);
        *next = end;
        for serial in first..end {
            let name = Name { of: request.name, serial };
            if let Lifetime::Between(min, max) = lifetime {
                self.lifetimes.insert(name, (min, max));
            }
            self.tell(&Fact::Arrived(name));
        }
        while first < end {
            let count = (end - first).min(CALL_TASKS_MAX);
            let tasks = u32::try_from(count).expect("10 at most");
            self.enter_line(Call::RunTask { request: row, count: tasks, first, arrived: self.now });
            first += count;
        }
    }

    fn enter_line(&mut self, call: Call) {
        self.callers.push_back(call);
        let admitted = self.run_task_bucket.as_mut().map_or(self.now, |bucket| bucket.reserve(self.now, 1));
        if admitted == self.now {
            self.call();
        } else {
            self.schedule(admitted, Event::Call);
        }
    }

    /// The API lets the first caller in line through.
    pub(in crate::sim) fn call(&mut self) {
        let call = self.callers.pop_front().expect("one admission per caller");
        self.scheduler.machine.observe(self.now, EcsChange::Called(call));
    }

    /// A call has failed for one task: the caller tries again later, or gives up. When it will try.
    pub(in crate::sim) fn call_failed(
        &mut self,
        row: Row<TaskRequest>,
        serial: u64,
        arrived: Timestamp,
    ) -> Option<Timestamp> {
        let name = Name { of: self.plan.definitions[row].name, serial };
        let again = self.plan.retries.get(&name.of).and_then(|retry| {
            let last = arrived + retry.within;
            self.now.checked_add(retry.every).filter(|&at| at <= last)
        });
        match again {
            Some(at) => {
                let call = Call::RunTask { request: row, count: 1, first: serial, arrived };
                let call = self.callers_away.insert(call).row;
                let serial = u32::try_from(serial & 0xffff_ffff).expect("32 bits");
                self.schedule(at, Event::CallAgain { call, serial });
            }
            None => drop(self.lifetimes.remove(&name)),
        }
        again
    }

    /// A caller whose call failed tries again.
    pub(in crate::sim) fn call_again(&mut self, row: Row<Call>) {
        let call = self.callers_away.remove(row).expect("a caller comes back once");
        self.enter_line(call);
    }

    /// How long the trace says that the work of a task takes, drawn where it says a range.
    pub(in crate::sim) fn traced_lifetime(&mut self, name: Name, draw: impl Fn() -> u64) -> Option<Span> {
        let (min, max) = self.lifetimes.remove(&name)?;
        let range = (max.as_nanos() - min.as_nanos()).saturating_add(1);
        Some(min + Span::from_nanos(crate::base::turn::below(draw(), range)))
    }
}
