//! Rows into tables by COPY over several connections.
//!
//! Each connection has a thread of its own with its own runtime, which makes a chunk of rows while the server works through the
//! last ones in the socket's buffer: nothing is handed between threads, and memory is bounded by a few chunks a connection.
//! Chunks are contiguous and handed out in row order, so at any time the connections work on neighbouring rows and the heap
//! follows the row order but for a window of a few hundred kilobytes a connection. Tables too small for that window to be
//! nothing get fewer connections, down to one, which loads in exactly the row order; so the planner's `correlation` of a growing
//! column stays within a hair of 1 whatever the size.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{catalog::qualified, seed_session::seed_session};
use crate::{
    dataset::TableRows,
    draw::Scratch,
    pg::link::{
        CopyIn, Fault,
        connector::Connector,
        error::{Error, Result},
    },
    sqltext::quote::quote_identifier,
};

/// Bytes that a chunk of rows should have: large enough for few messages, small enough to keep the heap in order.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of a table for each connection that loads it.
const CONNECTION_BYTES: u64 = 16 * 1024 * 1024;
/// Rows from which the size of a row is estimated.
const SAMPLE_ROWS: u64 = 64;

/// A table to load, and how far its rows are handed out.
#[derive(Debug)]
struct Work {
    table: String,
    statement: String,
    rows: TableRows,
    chunk: u64,
    next: AtomicU64,
    /// Connections that may still join.
    seats: AtomicU64,
}

/// Loads the tables of `schema`, each with its rows, and adds the rows sent to `sent`.
///
/// # Errors
/// The first failure of any connection; the others are told to stop. When `stop` is cancelled, an error that says so. Rows
/// that were sent before may be there or not.
pub(crate) async fn load(
    connector: &Connector,
    schema: &str,
    tables: Vec<(String, TableRows)>,
    connections: usize,
    sent: &Arc<AtomicU64>,
    stop: &CancellationToken,
) -> Result<()> {
    let work =
        tables.into_iter().map(|(table, rows)| Work::new(schema, table, rows)).collect::<Result<Arc<[Work]>>>()?;
    let stop = stop.child_token();
    let mut ends = Vec::new();
    for number in 0..connections {
        let (end, ended) = oneshot::channel();
        let (connector, schema, work) = (connector.clone(), schema.to_owned(), Arc::clone(&work));
        let (sent, stop) = (Arc::clone(sent), stop.clone());
        let run = move || {
            let result = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|cause| Error::new(format!("cannot start a runtime: {cause}")))
                .and_then(|runtime| runtime.block_on(load_chunks(&connector, &schema, &work, &sent, &stop)));
            if result.is_err() {
                stop.cancel();
            }
            // The receiver is gone only when nobody waits for the load any more.
            let _ = end.send(result);
        };
        thread::Builder::new()
            .name(format!("seed {number}"))
            .spawn(run)
            .map_err(|cause| Error::new(format!("cannot start a thread: {cause}")))?;
        ends.push(ended);
    }
    let mut first = Ok(());
    for ended in ends {
        let result = ended.await.unwrap_or_else(|_| Err(Error::new("a thread of the load died")));
        // Those that were told to stop say only that; the one that failed says why.
        if first.is_ok() || first.as_ref().is_err_and(|error: &Error| error.is_stopped()) && result.is_err() {
            first = result;
        }
    }
    first
}

/// Sends chunks of one table after the other until none is left.
async fn load_chunks(
    connector: &Connector,
    schema: &str,
    work: &[Work],
    sent: &AtomicU64,
    stop: &CancellationToken,
) -> Result<()> {
    let session = tokio::select! {
        session = seed_session(connector, schema) => session?,
        () = stop.cancelled() => return Err(Error::stopped()),
    };
    let mut scratch = Scratch::default();
    for work in work {
        let failed = |cause: Fault| {
            let place = cause.as_db_error().and_then(|error| error.where_()).map(|place| format!(" ({place})"));
            Error::from_server(format!("cannot load table {}{}", work.table, place.unwrap_or_default()), cause)
        };
        if !work.join() {
            continue;
        }
        let Some(mut rows) = work.claim() else { continue };
        let mut copy = session.copy_in(&work.statement).await.map_err(failed)?;
        let mut buffer = Vec::with_capacity(CHUNK_BYTES * 5 / 4);
        let format = work.rows.format();
        buffer.extend_from_slice(format.header());
        loop {
            let count = rows.end - rows.start;
            work.rows.write_rows(rows, &mut scratch, &mut buffer).map_err(|error| Error::new(error.to_string()))?;
            let chunk = std::mem::replace(&mut buffer, Vec::with_capacity(CHUNK_BYTES * 5 / 4));
            send(&mut copy, chunk, stop).await?.map_err(failed)?;
            sent.fetch_add(count, Ordering::Relaxed);
            match work.claim() {
                Some(next) => rows = next,
                None => break,
            }
        }
        send(&mut copy, format.trailer().to_vec(), stop).await?.map_err(failed)?;
        tokio::select! {
            rows = copy.finish() => rows.map_err(failed)?,
            () = stop.cancelled() => return Err(Error::stopped()),
        };
    }
    Ok(())
}

async fn send(
    copy: &mut CopyIn<'_>,
    chunk: Vec<u8>,
    stop: &CancellationToken,
) -> Result<std::result::Result<(), Fault>> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Error::stopped()),
        result = copy.feed(Bytes::from(chunk)) => Ok(result),
    }
}

impl Work {
    fn new(schema: &str, table: String, rows: TableRows) -> Result<Self> {
        let mut sample = Vec::new();
        let sampled = rows.rows().min(SAMPLE_ROWS);
        let written = rows.write_rows(0..sampled, &mut Scratch::default(), &mut sample);
        written.map_err(|error| Error::new(error.to_string()))?;
        let row_bytes = (sample.len() as u64 / sampled.max(1)).max(1);
        let columns: Vec<String> = rows.columns().map(quote_identifier).collect();
        let relation = qualified(schema, &table);
        let format = rows.format().name();
        Ok(Self {
            statement: format!("COPY {relation} ({}) FROM STDIN WITH (FORMAT {format})", columns.join(", ")),
            chunk: (CHUNK_BYTES as u64 / row_bytes).max(1),
            next: AtomicU64::new(0),
            seats: AtomicU64::new(rows.rows().saturating_mul(row_bytes) / CONNECTION_BYTES + 1),
            table,
            rows,
        })
    }

    /// Whether one more connection may load the table.
    fn join(&self) -> bool {
        self.seats.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seats| seats.checked_sub(1)).is_ok()
    }

    /// The next rows that nobody has.
    fn claim(&self) -> Option<Range<u64>> {
        let start = self.next.fetch_add(self.chunk, Ordering::Relaxed);
        (start < self.rows.rows()).then(|| start..(start + self.chunk).min(self.rows.rows()))
    }
}
