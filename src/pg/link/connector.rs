//! Where the target is and how to reach it.

use std::{
    error::Error as _,
    fmt, io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, ToSocketAddrs, UnixStream},
    select,
    sync::OnceCell,
    task::JoinHandle,
    time::sleep,
};
use tokio_postgres::{
    Config, NoTls, SimpleQueryMessage,
    config::{Host, TargetSessionAttrs},
    tls::NoTlsStream,
};
use tokio_util::sync::CancellationToken;

use super::{
    AFTER_STOP, Client, Fault, GRACE, Guard, Heard, Keepalive, Loss, QUESTION, Raw,
    error::{Error, Result},
    path,
    pooler::{self, Way},
    socket::Socket,
};

/// How long a connection may take to be made unless the URL says otherwise.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take to be made, and a question to be answered, at least, however short the user's time limit is.
const LEAST_CONNECT: Duration = Duration::from_secs(3);
const LEAST_QUESTION: Duration = Duration::from_secs(5);

/// How to reach a target database. Cheap to clone; holds the password and never shows it.
#[derive(Clone)]
pub struct Connector {
    config: Arc<Config>,
    managed: bool,
    timeout: Option<Duration>,
    /// Why the password file gave no password.
    unread_passwords: Option<String>,
    keepalive: Keepalive,
    /// Ends the waits of its sessions.
    stop: CancellationToken,
    /// Its sessions, each with what it is for.
    sessions: Arc<Mutex<Vec<Session>>>,
    /// Known once it was made sure that sessions keep their backends.
    way: Arc<OnceCell<Way>>,
    /// The user's time limit in milliseconds; 0 is none.
    time_limit: Arc<AtomicU64>,
}

/// A session's purpose, and what is known of its connection as long as there is one.
type Session = (String, Weak<Heard>);

/// What drives a connection.
#[expect(clippy::disallowed_types, reason = "its client is wrapped before anybody has it")]
pub(crate) type Driver<S> = tokio_postgres::Connection<Guard<S>, NoTlsStream>;

impl Connector {
    /// A server that is not ours. No `timeout` waits for as long as the system does.
    pub(crate) fn new(
        config: Config,
        timeout: Option<Duration>,
        unread_passwords: Option<String>,
        keepalive: Keepalive,
    ) -> Self {
        let stop = CancellationToken::new();
        Self {
            config: Arc::new(config),
            managed: false,
            timeout,
            unread_passwords,
            keepalive,
            stop,
            sessions: Arc::default(),
            way: Arc::default(),
            time_limit: Arc::default(),
        }
    }

    /// The managed server behind a socket in `socket_dir`.
    pub fn managed(socket_dir: &Path, port: u16, user: &str, database: &str) -> Self {
        let mut config = Config::new();
        config.host_path(socket_dir).port(port).user(user).dbname(database);
        let made = Self::new(config, Some(CONNECT_TIMEOUT), None, Keepalive::default());
        Self { managed: true, ..made }
    }

    /// The same, whose sessions stop waiting when `stop` is cancelled.
    #[must_use]
    pub fn until(&self, stop: CancellationToken) -> Self {
        Self { stop, ..self.clone() }
    }

    /// Says how long the user lets an execution take: from now on silence ends soon after as long a time, on all clones too.
    pub fn set_time_limit(&self, limit: Duration) {
        let ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.time_limit.store(ms.max(1), Ordering::Relaxed);
    }

    /// The user's time limit, if there is one.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        Some(self.time_limit.load(Ordering::Relaxed)).filter(|ms| *ms > 0).map(Duration::from_millis)
    }

    /// How long a question of latclinic's own may take.
    pub(crate) fn question(&self) -> Duration {
        self.time_limit().map_or(QUESTION, |limit| QUESTION.min(limit.max(LEAST_QUESTION).saturating_add(GRACE)))
    }

    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Whether this is latclinic's own server.
    pub fn is_managed(&self) -> bool {
        self.managed
    }

    /// Host, port and database, without user or password: `db.example:5432/shop`.
    pub fn place(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) if name.contains(':') => format!("[{name}]"),
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("{host}:{port}/{}", self.database())
    }

    /// Name of the database.
    pub fn database(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or("postgres")
    }

    /// Opens a session for latclinic's own questions, whose `application_name` is `latclinic <purpose>`, driven by a task on the
    /// calling runtime. Names resolve in the system catalog alone; a [`UserSession`](crate::pg::link::user_session::UserSession) runs statements of the user.
    ///
    /// # Errors
    /// Says which place could not be reached and why; wrong passwords and unknown databases are told apart by the server.
    pub async fn connect(&self, purpose: &str) -> Result<Client> {
        let client = self.connect_unprotected(purpose).await?;
        let failed = |cause| Error::from_server("cannot set the search path", cause);
        // A part of connecting, as for the time that it may take.
        self.in_time(client.batch_execute(path::OWN)).await?.map_err(failed)?;
        Ok(client)
    }

    /// Opens a session with the path that the role has, in which whoever may create something can plant what is called then. For
    /// tests and tools, which bring their own SQL; latclinic has [`UserSession`](crate::pg::link::user_session::UserSession).
    ///
    /// # Errors
    /// As of [`connect`](Self::connect).
    pub async fn connect_unprotected(&self, purpose: &str) -> Result<Client> {
        let (raw, heard, driver) = self.connect_raw(purpose).await?;
        self.note_session(purpose, &heard);
        let client = Client::new(raw, self.clone(), purpose, heard, Some(driver.abort_handle()));
        self.check_attributes(&client).await?;
        let failed = |cause| Error::from_server(format!("cannot read the settings of {}", self.place()), cause);
        // A part of connecting, as for the time that it may take.
        self.in_time_for_first(client.read_timeouts()).await?.map_err(failed)?;
        Ok(client)
    }

    /// Makes sure that a session has a backend: a pooler takes it in also if it has none for it. A refusal is not looked at.
    pub(crate) async fn await_backend<E>(
        &self,
        question: impl Future<Output = std::result::Result<(), E>>,
    ) -> Result<()> {
        match self.way.get() {
            Some(Way::Pooler) => self.in_time_for_first(question).await.map(drop),
            _ => Ok(()),
        }
    }

    /// [`in_time`](Self::in_time) for the first question of a session, for which a pooler may have no backend.
    async fn in_time_for_first<T>(&self, question: impl Future<Output = T>) -> Result<T> {
        let begin = Instant::now();
        self.in_time(question).await.map_err(|error| match self.way.get() {
            Some(Way::Pooler) if !error.is_stopped() => {
                pooler::no_room(self, "gives no further session", begin.elapsed().as_secs())
            }
            _ => error,
        })
    }

    fn note_session(&self, purpose: &str, heard: &Arc<Heard>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|(_, heard)| heard.strong_count() > 0);
        sessions.push((purpose.to_owned(), Arc::downgrade(heard)));
    }

    /// Gives up its sessions of a purpose for this reason, which counts more than what the server says when they are ended; returns
    /// the processes that serve them.
    pub(crate) fn give_up(&self, purpose: &str, loss: &Loss) -> Vec<i32> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let of_purpose = sessions.iter().filter(|(of, _)| of == purpose);
        let give_up = |heard: Arc<Heard>| {
            heard.lose(loss.clone());
            heard.backend()
        };
        of_purpose.filter_map(|(_, heard)| heard.upgrade().and_then(give_up)).collect()
    }

    /// The driver's client, for a pool: [`connect_unprotected`](Self::connect_unprotected) without what ends its waits, and the task
    /// that drives it.
    pub(crate) async fn connect_raw(&self, purpose: &str) -> Result<(Raw, Arc<Heard>, JoinHandle<()>)> {
        let (client, connection, heard) = self.sign_in(purpose, self.open_socket().await?).await?;
        Ok((client, heard, tokio::spawn(drive(connection))))
    }

    /// Makes sure that the server takes writes, or none, if the URL asks for it.
    async fn check_attributes(&self, client: &Client) -> Result<()> {
        let wanted = self.config.get_target_session_attrs();
        if wanted == TargetSessionAttrs::Any {
            return Ok(());
        }
        let doing = || format!("cannot connect to {}", self.place());
        let messages = client.simple_query("SHOW transaction_read_only").await;
        let messages = messages.map_err(|cause| Error::from_server(doing(), cause))?;
        let value = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        match (wanted, value) {
            (TargetSessionAttrs::ReadWrite, Some("on")) => Err(Error::new(format!(
                "{}: its transactions are read-only, and the URL asks for target_session_attrs=read-write",
                doing()
            ))),
            (TargetSessionAttrs::ReadOnly, Some("off")) => Err(Error::new(format!(
                "{}: its transactions may write, and the URL asks for target_session_attrs=read-only",
                doing()
            ))),
            _ => Ok(()),
        }
    }

    /// Opens a socket to the server and nothing more; before the first one it is made sure that a session keeps its backend.
    ///
    /// # Errors
    /// As of [`connect`](Self::connect), where the place cannot be reached; or a pooler in transaction mode is in between.
    pub(crate) async fn open_socket(&self) -> Result<Socket> {
        if !self.managed {
            self.way.get_or_try_init(|| Box::pin(pooler::refuse_sharing(self))).await?;
        }
        self.open_socket_unchecked().await
    }

    /// [`open_socket`](Self::open_socket) to whatever is there.
    pub(crate) async fn open_socket_unchecked(&self) -> Result<Socket> {
        let port = self.port();
        let attempt = async {
            Ok(match (self.config.get_hosts().first(), self.config.get_hostaddrs().first()) {
                (Some(Host::Unix(folder)), _) => Socket::Unix(unix(&folder.join(format!(".s.PGSQL.{port}"))).await?),
                (_, Some(address)) => self.tcp((*address, port)).await?,
                (Some(Host::Tcp(name)), None) => self.tcp((name.as_str(), port)).await?,
                (None, None) => return Err(io::ErrorKind::NotFound.into()),
            })
        };
        match self.in_time(attempt).await? {
            Ok(socket) => Ok(socket),
            Err(cause) => Err(match self.unreachable(&cause).await {
                Some(error) => error,
                None => Error::new(format!("cannot connect to {}: {cause}", self.place())),
            }),
        }
    }

    /// Signs in over `stream`, a socket of [`open_socket`](Self::open_socket) or what shows one. With the driver's client comes
    /// what drives it, and what is known of the connection.
    ///
    /// # Errors
    /// As of [`connect`](Self::connect), where the server refuses.
    pub(crate) async fn sign_in<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        purpose: &str,
        stream: S,
    ) -> Result<(Raw, Driver<S>, Arc<Heard>)> {
        self.sign_in_as(&self.config_for(purpose), stream).await
    }

    async fn sign_in_as<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        config: &Config,
        stream: S,
    ) -> Result<(Raw, Driver<S>, Arc<Heard>)> {
        let heard = Arc::<Heard>::default();
        let stream = Guard::new(stream, Arc::clone(&heard));
        match self.in_time(config.connect_raw(stream, NoTls)).await? {
            Ok((client, connection)) => Ok((client, connection, heard)),
            Err(cause) => Err(self.refusal(cause, &heard)),
        }
    }

    /// Signs in without a name of latclinic's own, which a pooler would set on a backend. With the session comes what drives it.
    pub(crate) async fn sign_in_for_probe(&self, socket: Socket) -> Result<(Client, Driver<Socket>)> {
        let (raw, connection, heard) = self.sign_in_as(&self.config, socket).await?;
        Ok((Client::new(raw, self.clone(), "", heard, None), connection))
    }

    /// What the server's list of sessions calls those of a purpose.
    pub(crate) fn application_name(purpose: &str) -> String {
        format!("latclinic {purpose}")
    }

    fn config_for(&self, purpose: &str) -> Config {
        let mut config = Config::clone(&self.config);
        config.application_name(Self::application_name(purpose));
        config
    }

    /// Gives an attempt to connect the time it may take. Around all of it, not only the socket: what accepts and never answers
    /// is no PostgreSQL, but it is waited for.
    pub(crate) async fn in_time<T>(&self, attempt: impl Future<Output = T>) -> Result<T> {
        let was_stopped = self.stop.is_cancelled();
        let timeout = match (self.timeout, self.time_limit().map(|limit| limit.max(LEAST_CONNECT))) {
            (Some(timeout), Some(limit)) => Some(timeout.min(limit)),
            (timeout, limit) => timeout.or(limit),
        };
        let limit = match timeout {
            limit if !was_stopped => limit,
            limit => Some(limit.map_or(AFTER_STOP, |limit| limit.min(AFTER_STOP))),
        };
        let late = async {
            match limit {
                Some(limit) => sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        select! {
            biased;
            done = attempt => Ok(done),
            () = self.stop.cancelled(), if !was_stopped => Err(Error::stopped()),
            () = late => {
                let seconds = limit.unwrap_or_default().as_secs();
                Err(Error::new(format!("cannot connect to {}: no answer within {seconds} s", self.place()))
                    .with_hint("is the host right, and does a firewall let you through? connect_timeout=N waits longer"))
            }
        }
    }

    fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }

    /// Why no connection was made, in words, and what to look at.
    fn refusal(&self, cause: tokio_postgres::Error, heard: &Heard) -> Error {
        let doing = format!("cannot connect to {}", self.place());
        if let Some(code) = cause.code().map(|code| code.code().to_owned()) {
            let error = Error::from_server(doing, cause);
            return match self.advice(&code) {
                Some(advice) => error.with_hint(advice),
                None => error,
            };
        }
        if cause.to_string().contains("password missing")
            || cause.source().is_some_and(|inner| inner.to_string().contains("password missing"))
        {
            return Error::new(format!("{doing}: the server wants a password")).with_hint(self.password_advice());
        }
        match heard.loss() {
            Some(loss) => Error::from_server(doing, Fault::lost(loss)),
            None => Error::from_server(doing, cause),
        }
    }

    /// What an error of the socket means, where that is known.
    async fn unreachable(&self, cause: &io::Error) -> Option<Error> {
        let doing = format!("cannot connect to {}", self.place());
        let (socket, port) = (self.socket(), self.port());
        let (words, advice) = match (cause.kind(), socket) {
            (io::ErrorKind::NotFound, Some(folder)) => (
                format!("no server has a socket at {}/.s.PGSQL.{port}", folder.display()),
                "is the server running, and are the folder and the port right?".to_owned(),
            ),
            (io::ErrorKind::PermissionDenied, Some(folder)) => (
                format!("this user may not use the socket in {}", folder.display()),
                "run as a user who may".to_owned(),
            ),
            (io::ErrorKind::ConnectionRefused, _) => {
                ("nothing listens there".to_owned(), "is the server running, and is the port right?".to_owned())
            }
            (_, None) if self.is_unknown_host(port).await => (
                "no host has that name".to_owned(),
                "is the name right, and does this machine's DNS know it?".to_owned(),
            ),
            _ => return None,
        };
        Some(Error::new(format!("{doing}: {words}: {cause}")).with_hint(advice))
    }

    fn advice(&self, sqlstate: &str) -> Option<String> {
        let user = self.config.get_user().unwrap_or_default();
        Some(match sqlstate {
            "28P01" => format!("the server refused the password of user {user}; {}", self.password_advice()),
            "28000" => format!(
                "user {user} may be missing, or pg_hba.conf may not let it in; a server that wants TLS cannot be used yet"
            ),
            "3D000" => format!("create it (createdb {}), or name another one", self.database()),
            "53300" => "use fewer clients, end idle connections, or raise max_connections".to_owned(),
            "57P03" => "the server is starting or stopping: try again in a moment".to_owned(),
            _ => return None,
        })
    }

    fn password_advice(&self) -> String {
        let advice = "give it in PGPASSWORD, ~/.pgpass or the URL";
        match &self.unread_passwords {
            Some(why) => format!("{advice}; {why}"),
            None => advice.to_owned(),
        }
    }

    fn socket(&self) -> Option<&Path> {
        match self.config.get_hosts().first() {
            #[cfg(unix)]
            Some(Host::Unix(path)) => Some(path),
            _ => None,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the caller gives it its time")]
    async fn tcp(&self, address: impl ToSocketAddrs) -> io::Result<Socket> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        self.keepalive.set(&stream)?;
        Ok(Socket::Tcp(stream))
    }

    async fn is_unknown_host(&self, port: u16) -> bool {
        match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) if self.config.get_hostaddrs().is_empty() => {
                #[expect(clippy::disallowed_methods, reason = "the attempt that failed has asked the same")]
                let found = tokio::net::lookup_host((name.as_str(), port)).await;
                found.is_err()
            }
            _ => false,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the caller gives it its time")]
async fn unix(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

async fn drive<S: AsyncRead + AsyncWrite + Unpin>(connection: Driver<S>) {
    // The client's next call reports a broken connection; there is nobody to tell here.
    let _ = connection.await;
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("place", &self.place()).field("managed", &self.managed).finish()
    }
}
