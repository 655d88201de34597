//! Reading.

use std::{
    fs::{File, FileType, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
};

use nix::libc::O_NONBLOCK;

/// Where a process finds its own streams: behind them are pipes that somebody means to be read.
const STREAMS: [&str; 4] = ["/dev/stdin", "/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"];

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// The file system's. What is no regular file is [`io::ErrorKind::InvalidInput`] and is not waited for; what is larger than
/// `most` is [`io::ErrorKind::FileTooLarge`]. Their messages are such as `it is a named pipe, not a file`.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(no_file(found.file_type()));
    }
    if found.len() > most {
        return Err(too_large(most));
    }
    read_all(file, most)
}

/// The same of a file that holds UTF-8 text.
///
/// # Errors
/// As [`read`]; [`io::ErrorKind::InvalidData`] when it is no text.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Opens a regular file, or what a shell puts in the place of one: `/dev/stdin`, and the `/dev/fd/63` of `<(command)`.
///
/// # Errors
/// As [`read`], but for the size.
pub fn open_piped(path: &Path) -> io::Result<File> {
    if STREAMS.iter().any(|stream| path.starts_with(stream)) {
        return File::open(path);
    }
    let file = open(path)?;
    let found = file.metadata()?;
    if found.is_file() { Ok(file) } else { Err(no_file(found.file_type())) }
}

/// Reads an input to its end, which has to come within `most` bytes.
///
/// # Errors
/// The input's; [`io::ErrorKind::FileTooLarge`].
pub fn read_all(input: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// A named pipe without a writer is not waited for.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)
}

fn no_file(found: FileType) -> io::Error {
    let what = match () {
        () if found.is_dir() => "a folder",
        () if found.is_fifo() => "a named pipe",
        () if found.is_socket() => "a socket",
        () => "a device",
    };
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file"))
}

fn too_large(most: u64) -> io::Error {
    let size = if most.is_multiple_of(MIB) { format!("{} MiB", most / MIB) } else { format!("{most} bytes") };
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {size}"))
}

/// One mebibyte, for bounds.
pub const MIB: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    fn refusal(path: &Path) -> String {
        read(path, 10).unwrap_err().to_string()
    }

    #[test]
    fn only_files_within_the_bound_are_read() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::write(path("file"), "0123456789").unwrap();
        assert_eq!(read_text(&path("file"), 10).unwrap(), "0123456789");
        assert_eq!(read(&path("file"), 9).unwrap_err().to_string(), "it is larger than 9 bytes");
        fs::write(path("bytes"), b"\xff").unwrap();
        assert_eq!(read_text(&path("bytes"), 10).unwrap_err().to_string(), "it is not UTF-8 text");
        File::create(path("sparse")).unwrap().set_len(3 << 30).unwrap();
        assert_eq!(read(&path("sparse"), MIB).unwrap_err().to_string(), "it is larger than 1 MiB");
        assert_eq!(refusal(root.path()), "it is a folder, not a file");
        mkfifo(&path("pipe"), Mode::S_IRWXU).unwrap();
        assert_eq!(refusal(&path("pipe")), "it is a named pipe, not a file");
        assert_eq!(open_piped(&path("pipe")).unwrap_err().to_string(), "it is a named pipe, not a file");
        std::os::unix::fs::symlink(path("pipe"), path("link")).unwrap();
        assert_eq!(refusal(&path("link")), "it is a named pipe, not a file");
        for device in ["/dev/zero", "/dev/null"] {
            assert_eq!(refusal(Path::new(device)), "it is a device, not a file");
            assert_eq!(open_piped(Path::new(device)).unwrap_err().to_string(), "it is a device, not a file");
        }
        assert_eq!(read(&path("none"), 10).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_pipes_of_a_shell_are_read_where_they_are_meant() {
        let (reader, mut writer) = io::pipe().unwrap();
        let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        assert_eq!(refusal(Path::new(&path)), "it is a named pipe, not a file");
        let opened = open_piped(Path::new(&path)).unwrap();
        writer.write_all(b"a plan").unwrap();
        drop(writer);
        assert_eq!(read_all(opened, 10).unwrap(), b"a plan");
        assert_eq!(read_all(io::repeat(b'x'), MIB).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
