//! Sessions that the load engine drives.

pub(crate) mod arguments;
pub(crate) mod direct;
pub(crate) mod pool;
pub(crate) mod program;
pub(crate) mod rows;
pub(crate) mod sampler;
pub(crate) mod samples;
pub(crate) mod script;

use std::{cell::RefCell, rc::Rc, sync::Arc};

use futures_util::{FutureExt, future::LocalBoxFuture};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{
    Cancellation, Client, Fault,
    connector::Connector,
    error::{self, Error},
    setup::setup,
    user_session, wire,
};
use crate::pg::link::session::{
    arguments::Arguments,
    direct::Direct,
    pool::{Held, Pool, Pooled},
    program::{Program, Types},
    rows::Rows,
    sampler::Sampler,
    samples::Samples,
};
use crate::{
    engine::{Failure, FailureKind, PoolUse, Session, Steps, Target},
    load::{Operation, StatementFacts},
    scenario::{self, Connections, Protocol, Scenario, Script, Sharing, Statement},
};

pub use crate::pg::link::session::{
    sampler::Sampling,
    samples::{SampledPlan, SampledPlans},
};

/// A scenario's workload on a PostgreSQL database.
///
/// A pool's connections are driven by the runtimes of the threads whose sessions opened them, and serve the sessions of all.
pub struct PgTarget(Arc<Shared>);

/// What the sessions of a target have in common.
struct Shared {
    connector: Connector,
    /// What every session is set to.
    setup: String,
    statements: Vec<Statement>,
    scripts: Vec<Script>,
    /// What each statement takes and returns.
    types: Vec<Types>,
    protocol: Protocol,
    sharing: Sharing,
    /// Made with the first connection, which tells what the steps of scripts return.
    program: OnceCell<Arc<Program>>,
    pool: OnceCell<Pool>,
    /// How much is sampled, where it is.
    sampling: Option<Sampling>,
    samples: Samples,
}

impl PgTarget {
    /// The workload of `scenario`; `facts` is what [`describe`](crate::pg::describe()) found.
    pub fn new(connector: Connector, scenario: &Scenario, facts: &[StatementFacts], connections: &Connections) -> Self {
        Self::sampled(connector, scenario, facts, connections, None)
    }

    /// [`new`](Self::new), plans being sampled where they can be.
    pub fn sampled(
        connector: Connector,
        scenario: &Scenario,
        facts: &[StatementFacts],
        connections: &Connections,
        sampling: Option<Sampling>,
    ) -> Self {
        let types = facts.iter().map(Types::from).collect();
        Self(Arc::new(Shared {
            // The engine ends the waits of its sessions.
            connector: connector.until(CancellationToken::new()),
            setup: setup(&scenario.schema_name(), connections),
            statements: scenario.statements.clone(),
            scripts: scenario.scripts.clone(),
            types,
            protocol: connections.protocol,
            sharing: connections.sharing,
            program: OnceCell::new(),
            pool: OnceCell::new(),
            sampling: sampling.filter(|_| samples::unfit(connections.protocol, connections.sharing).is_none()),
            samples: Samples::default(),
        }))
    }

    /// What was sampled. Complete when all sessions are gone.
    pub fn samples(&self) -> SampledPlans {
        let Shared { samples, protocol, sharing, .. } = &*self.0;
        let mut sampled = samples.take();
        sampled.not_sampled = sampled.not_sampled.or_else(|| samples::unfit(*protocol, *sharing).map(str::to_owned));
        sampled
    }
}

impl Shared {
    async fn program(
        &self,
        prepare: impl AsyncFn(&str) -> Result<tokio_postgres::Statement, Fault>,
    ) -> error::Result<Arc<Program>> {
        let new = async || {
            let Self { statements, scripts, types, protocol, .. } = self;
            Program::new(prepare, statements, scripts, types, *protocol).await.map(Arc::new)
        };
        self.program.get_or_try_init(new).await.cloned()
    }

    /// Opens a connection.
    async fn open(&self) -> Result<(Direct, Cancellation, Arc<Program>), Failure> {
        let prepare = async |client: &Client| {
            let failed = |cause| Error::from_server("cannot set a session up", cause);
            client.batch_execute(&self.setup).await.map_err(failed)?;
            let is_sampled = self.sampling.is_some() && self.samples.prepare(client).await;
            Ok((self.program(async |sql| user_session::prepare(client, sql).await).await?, is_sampled))
        };
        let opened = wire::open(&self.connector, "load", prepare).await;
        let (mut wire, cancellation, (program, is_sampled)) = opened.map_err(|error| not_opened(&error))?;
        if is_sampled {
            wire.want_notices(Sampler::NOTICES);
        }
        Ok((Direct(wire), cancellation, program))
    }

    async fn pool(&self, settings: scenario::Pool) -> Result<&Pool, Failure> {
        let new = async || Pool::new(self.connector.clone(), self.setup.clone(), settings);
        self.pool.get_or_try_init(new).await
    }
}

fn not_opened(error: &Error) -> Failure {
    Failure { kind: FailureKind::Connection, sqlstate: error.sqlstate().map(str::to_owned), message: error.to_string() }
}

/// A statement that cannot be sent as it is.
fn statement_failure(cause: impl std::fmt::Display) -> Failure {
    Failure { kind: FailureKind::Operation, sqlstate: None, message: cause.to_string() }
}

impl Target for PgTarget {
    type Session = PgSession;

    async fn connect(&self, _client: u32) -> Result<PgSession, Failure> {
        let shared = &self.0;
        let mut cancellation = None;
        let (hold, program) = match shared.sharing {
            Sharing::Client => {
                let (mut direct, own, program) = shared.open().await?;
                for statement in &program.statements {
                    direct.prepare(statement).await?;
                }
                cancellation = Some(own);
                (Hold::Own(direct), program)
            }
            Sharing::Operation => {
                // Whether there is a server is known before the first operation.
                let (direct, _, program) = shared.open().await?;
                direct.0.terminate();
                (Hold::Operation(None), program)
            }
            Sharing::Pool(settings) => {
                let pool = shared.pool(settings).await?;
                let program = async |held: &Held| {
                    let prepare = async |sql: &str| held.in_time(held.prepare(sql)).await;
                    shared.program(prepare).await.map_err(|error| not_opened(&error))
                };
                (Hold::Pool(None), pool.open(program).await?)
            }
        };
        let sampler = match &hold {
            Hold::Own(direct) if direct.0.wants_notices() => Some(Sampler::new(program.scripts.len())),
            _ => None,
        };
        let results = (0..program.most_steps.max(1)).map(|_| Rows::default()).collect();
        let cancellation = Rc::new(RefCell::new(cancellation));
        Ok(PgSession { shared: Arc::clone(shared), program, hold, results, cancellation, sampler })
    }

    fn shares(&self) -> bool {
        self.0.sharing != Sharing::Client
    }

    fn pool(&self) -> Option<PoolUse> {
        self.0.pool.get().map(Pool::usage)
    }
}

/// One client's session.
pub struct PgSession {
    shared: Arc<Shared>,
    program: Arc<Program>,
    hold: Hold,
    /// Results of the steps of the script in hand.
    results: Box<[Rows]>,
    /// Of the connection in hand.
    cancellation: Rc<RefCell<Option<Cancellation>>>,
    /// Where plans of this session are sampled.
    sampler: Option<Sampler>,
}

/// What operations are executed on.
enum Hold {
    /// A connection of one's own.
    Own(Direct),
    /// One that is opened for each operation.
    Operation(Option<Direct>),
    /// One of the pool.
    Pool(Option<Pooled>),
}

impl Session for PgSession {
    #[inline]
    async fn acquire(&mut self) -> Result<(), Failure> {
        match &mut self.hold {
            Hold::Own(_) => return Ok(()),
            Hold::Operation(held) => {
                let (direct, cancellation, _) = self.shared.open().await?;
                *held = Some(direct);
                self.cancellation.replace(Some(cancellation));
            }
            Hold::Pool(held) => {
                let Some(pool) = self.shared.pool.get() else { return Err(nothing_acquired()) };
                let pooled = pool.get().await?;
                self.cancellation
                    .replace(Some(Cancellation::new(self.shared.connector.clone(), pooled.cancel_token())));
                *held = Some(pooled);
            }
        }
        Ok(())
    }

    #[inline]
    async fn execute(&mut self, operation: &Operation, steps: &mut Steps) -> Result<(), Failure> {
        let Self { shared, program, results, sampler, .. } = self;
        match &mut self.hold {
            Hold::Own(direct) => match (sampler, &shared.sampling) {
                (Some(sampler), Some(sampling)) => {
                    sampler.run(sampling, direct, program, operation, results, steps).await
                }
                _ => script::run(direct, program, operation, results, steps).await,
            },
            Hold::Operation(held) => {
                let Some(mut direct) = held.take() else { return Err(nothing_acquired()) };
                let outcome = async {
                    for step in &program.scripts[operation.script].steps {
                        direct.prepare(&program.statements[step.statement]).await?;
                    }
                    script::run(&mut direct, program, operation, results, steps).await
                }
                .await;
                self.cancellation.replace(None);
                direct.0.terminate();
                outcome
            }
            Hold::Pool(held) => {
                let Some(mut pooled) = held.take() else { return Err(nothing_acquired()) };
                let outcome = script::run(&mut pooled, program, operation, results, steps).await;
                self.cancellation.replace(None);
                if outcome.as_ref().is_err_and(|failure| failure.kind == FailureKind::Connection) {
                    // Not for anybody else.
                    drop(Pooled::take(pooled));
                }
                outcome
            }
        }
    }

    async fn plan(&mut self, operation: &Operation) -> Result<bool, Failure> {
        let Self { shared, program, sampler, .. } = self;
        // Only a connection of one's own keeps plans that later operations of this session meet.
        let Hold::Own(direct) = &mut self.hold else { return Ok(false) };
        let script = &program.scripts[operation.script];
        if script.steps.iter().any(|step| step.for_each.is_some() || !step.inputs.is_empty()) {
            return Ok(false);
        }
        for step in &script.steps {
            let statement = &program.statements[step.statement];
            let arguments = Arguments::drawn(&operation.parameters[step.first..], statement.types());
            direct.plan(statement, &arguments).await?;
        }
        if let (Some(sampler), Some(sampling)) = (sampler, &shared.sampling) {
            sampler.planned(sampling, direct).await?;
        }
        Ok(true)
    }

    fn cancellation(&self) -> LocalBoxFuture<'static, ()> {
        let held = Rc::clone(&self.cancellation);
        async move {
            let now = held.borrow().clone();
            if let Some(cancellation) = now {
                cancellation.cancel().await;
            }
        }
        .boxed_local()
    }
}

impl Drop for PgSession {
    fn drop(&mut self) {
        if let Some(sampler) = &mut self.sampler {
            self.shared.samples.keep(sampler.take());
        }
    }
}

fn nothing_acquired() -> Failure {
    statement_failure("an operation without a connection to execute it on")
}
