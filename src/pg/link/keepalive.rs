//! How the system finds out that a network is gone.

use std::{io, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// TCP keepalives, and how long what was sent may stay unacknowledged: libpq's options of these names.
///
/// By default a network that drops everything is noticed after a minute, whether or not something is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keepalive {
    pub(crate) on: bool,
    /// Silence before the first question; `None` leaves it to the system, as for the others.
    pub(crate) idle: Option<Duration>,
    /// From one question to the next.
    pub(crate) interval: Option<Duration>,
    /// Questions without an answer.
    pub(crate) count: Option<u32>,
    pub(crate) user_timeout: Option<Duration>,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self {
            on: true,
            idle: Some(Duration::from_secs(30)),
            interval: Some(Duration::from_secs(10)),
            count: Some(3),
            user_timeout: Some(Duration::from_secs(60)),
        }
    }
}

impl Keepalive {
    /// Sets a socket up.
    pub(crate) fn set(&self, stream: &TcpStream) -> io::Result<()> {
        let socket = SockRef::from(stream);
        if self.on {
            let mut keepalive = TcpKeepalive::new();
            keepalive = self.idle.into_iter().fold(keepalive, TcpKeepalive::with_time);
            keepalive = self.interval.into_iter().fold(keepalive, TcpKeepalive::with_interval);
            keepalive = self.count.into_iter().fold(keepalive, TcpKeepalive::with_retries);
            socket.set_tcp_keepalive(&keepalive)?;
        }
        #[cfg(target_os = "linux")]
        if self.user_timeout.is_some() {
            socket.set_tcp_user_timeout(self.user_timeout)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "the other end is this test's own")]
    #[tokio::test]
    async fn the_system_is_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        Keepalive::default().set(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(30));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(60)));
        let other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        Keepalive { on: false, ..Keepalive::default() }.set(&other).unwrap();
        assert!(!SockRef::from(&other).keepalive().unwrap());
    }
}
