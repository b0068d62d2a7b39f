//! The standard streams of this process, for the loop that speaks the protocol.
//!
//! `tokio`'s own hand every read and every write to a thread of a pool, which costs a call two
//! wake-ups of another thread. On Linux a pipe or a socket is read and written by the loop itself:
//! it waits until the system says that a stream is ready, and then moves no more than goes without
//! waiting. The flags of the descriptors stay as they are, since others may share them. Everything
//! else (a file, a terminal, another system) is left to `tokio`.

use tokio::io::{AsyncRead, AsyncWrite};

/// Returns the standard input; must be called inside a runtime.
pub(crate) fn input() -> Box<dyn AsyncRead + Send + Unpin> {
    #[cfg(target_os = "linux")]
    if let Some(input) = direct::Input::open() {
        return Box::new(input);
    }
    Box::new(tokio::io::stdin())
}

/// Returns the standard output; must be called inside a runtime.
pub(crate) fn output() -> Box<dyn AsyncWrite + Send + Unpin> {
    #[cfg(target_os = "linux")]
    if let Some(output) = direct::Output::open() {
        return Box::new(output);
    }
    Box::new(tokio::io::stdout())
}

#[cfg(target_os = "linux")]
mod direct {
    use std::io;
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::FileType;
    use rustix::io::Errno;
    use rustix::net::{RecvFlags, SendFlags};
    use tokio::io::unix::AsyncFd;
    use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

    /// The most that is read at once.
    const CHUNK: usize = 64 * 1024;

    /// What a pipe that is not full takes without waiting: it has a page free.
    const READY_BYTES: usize = 4096;

    /// Standard input that is a pipe or a socket.
    pub(super) struct Input {
        fd: AsyncFd<OwnedFd>,
        is_socket: bool,
        chunk: Vec<u8>,
    }

    /// Standard output that is a pipe or a socket.
    pub(super) struct Output {
        fd: AsyncFd<OwnedFd>,
        is_socket: bool,
    }

    impl Input {
        pub(super) fn open() -> Option<Self> {
            let fd = io::stdin().as_fd().try_clone_to_owned().ok()?;
            let is_socket = is_socket(&fd)?;
            Some(Self { fd: watched(fd, Interest::READABLE)?, is_socket, chunk: vec![0; CHUNK] })
        }
    }

    impl Output {
        pub(super) fn open() -> Option<Self> {
            let fd = io::stdout().as_fd().try_clone_to_owned().ok()?;
            let is_socket = is_socket(&fd)?;
            Some(Self { fd: watched(fd, Interest::WRITABLE)?, is_socket })
        }
    }

    impl AsyncRead for Input {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let Self { fd, is_socket, chunk } = &mut *self;
            loop {
                let mut guard = ready!(fd.poll_read_ready(cx))?;
                let most = chunk.len().min(buf.remaining());
                let Some(room) = chunk.get_mut(..most) else { return Poll::Ready(Ok(())) };
                match read_now(guard.get_inner(), *is_socket, room) {
                    Ok(n) => {
                        buf.put_slice(chunk.get(..n).unwrap_or_default());
                        return Poll::Ready(Ok(()));
                    }
                    Err(Errno::AGAIN) => guard.clear_ready(),
                    Err(Errno::INTR) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
        }
    }

    impl AsyncWrite for Output {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            loop {
                let mut guard = ready!(self.fd.poll_write_ready(cx))?;
                match write_now(guard.get_inner(), self.is_socket, bytes) {
                    Ok(n) => return Poll::Ready(Ok(n)),
                    Err(Errno::AGAIN) => guard.clear_ready(),
                    Err(Errno::INTR) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// Whether this is a socket; none where it is no pipe either.
    fn is_socket(fd: &OwnedFd) -> Option<bool> {
        match FileType::from_raw_mode(rustix::fs::fstat(fd).ok()?.st_mode) {
            FileType::Socket => Some(true),
            FileType::Fifo => Some(false),
            _ => None,
        }
    }

    /// Reads what is there; [`Errno::AGAIN`] where that is nothing.
    fn read_now(fd: &OwnedFd, is_socket: bool, room: &mut [u8]) -> Result<usize, Errno> {
        if is_socket {
            return rustix::net::recv(fd, room, RecvFlags::DONTWAIT).map(|(n, _)| n);
        }
        demand_ready(fd, PollFlags::IN)?;
        rustix::io::read(fd, room)
    }

    /// Writes what goes without waiting; [`Errno::AGAIN`] where that is nothing.
    fn write_now(fd: &OwnedFd, is_socket: bool, bytes: &[u8]) -> Result<usize, Errno> {
        if is_socket {
            return rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
        demand_ready(fd, PollFlags::OUT)?;
        // An empty pipe takes as much as it holds, any other that is ready a page.
        let is_empty = rustix::io::ioctl_fionread(fd).is_ok_and(|n| n == 0);
        let room = if is_empty { rustix::pipe::fcntl_getpipe_size(fd)? } else { READY_BYTES };
        rustix::io::write(fd, bytes.get(..bytes.len().min(room)).unwrap_or_default())
    }

    /// Has the runtime tell when a stream is ready; none where it cannot.
    #[expect(
        deprecated,
        reason = "unsound only where the descriptor is closed meanwhile: it is owned"
    )]
    fn watched(fd: OwnedFd, interest: Interest) -> Option<AsyncFd<OwnedFd>> {
        AsyncFd::with_interest(fd, interest).ok()
    }

    /// Demands that reading or writing would not wait, or would fail at once.
    fn demand_ready(fd: &OwnedFd, flags: PollFlags) -> Result<(), Errno> {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let n = poll(&mut [PollFd::new(fd, flags)], Some(&now))?;
        if n > 0 { Ok(()) } else { Err(Errno::AGAIN) }
    }
}
