//! Bytes to lines: one line is one message.
//!
//! A line longer than the limit is reported once and skipped without being held. A last line
//! without a newline is a line.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest line, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

const CHUNK: usize = 64 * 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its newline.
    Text(Vec<u8>),
    /// A line over the limit; its bytes are gone.
    TooLong,
}

/// Lines of a stream of bytes.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are handed out already.
    start: usize,
    /// Bytes of `buffer` in which there is no newline after `start`.
    scanned: usize,
    max: usize,
    skipping: bool,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R, max: usize) -> Self {
        let buffer = Vec::new();
        Self { input, buffer, start: 0, scanned: 0, max, skipping: false, ended: false }
    }

    /// Returns the next line that has been read already, without reading.
    pub(super) fn buffered(&mut self) -> Option<Line> {
        loop {
            let newline = self.buffer.get(self.scanned..)?.iter().position(|&b| b == b'\n');
            let Some(newline) = newline else {
                self.scanned = self.buffer.len();
                return self.unfinished();
            };
            let end = self.scanned + newline;
            let line = self.buffer.get(self.start..end).unwrap_or_default();
            let (skipped, too_long) = (self.skipping, line.len() > self.max);
            let line = if skipped || too_long { Vec::new() } else { line.to_vec() };
            self.start = end + 1;
            self.scanned = self.start;
            self.skipping = false;
            if !skipped {
                return Some(if too_long { Line::TooLong } else { Line::Text(line) });
            }
        }
    }

    /// Reads more; false at the end of the input. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the input cannot be read.
    pub(super) async fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.scanned = self.scanned.saturating_sub(self.start);
        self.start = 0;
        if self.buffer.len() <= CHUNK && self.buffer.capacity() > 4 * CHUNK {
            // A large line was handed out; the next ones are small again.
            self.buffer.shrink_to(CHUNK);
        }
        self.buffer.reserve(CHUNK);
        self.ended = self.input.read_buf(&mut self.buffer).await? == 0;
        Ok(!self.ended || self.scanned < self.buffer.len() || !self.buffer.is_empty())
    }

    /// What there is of a line whose newline has not been read.
    fn unfinished(&mut self) -> Option<Line> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        if self.skipping || rest.len() > self.max {
            let reported = self.skipping;
            self.skipping = true;
            self.buffer = Vec::new();
            (self.start, self.scanned) = (0, 0);
            return (!reported).then_some(Line::TooLong);
        }
        if !self.ended || rest.is_empty() {
            return None;
        }
        let line = rest.to_vec();
        self.buffer = Vec::new();
        (self.start, self.scanned) = (0, 0);
        Some(Line::Text(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(input: &[u8], max: usize) -> Vec<Line> {
        let mut lines = Lines::new(input, max);
        let mut read = Vec::new();
        loop {
            while let Some(line) = lines.buffered() {
                read.push(line);
            }
            if !lines.fill().await.unwrap() {
                return read;
            }
        }
    }

    fn text(line: &str) -> Line {
        Line::Text(line.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn the_last_line_needs_no_newline() {
        assert_eq!(read_all(b"a\n\nb", 10).await, [text("a"), text(""), text("b")]);
        assert_eq!(read_all(b"a\n", 10).await, [text("a")]);
        assert_eq!(read_all(b"", 10).await, []);
    }

    #[tokio::test]
    async fn the_room_of_a_large_line_is_given_back() {
        let input = [b"x".repeat(8 << 20), b"\nnext\n".to_vec()].concat();
        let mut lines = Lines::new(input.as_slice(), 16 << 20);
        while lines.buffered().is_none() {
            assert!(lines.fill().await.unwrap());
        }
        lines.fill().await.unwrap();
        assert!(lines.buffer.capacity() <= 4 * CHUNK, "{}", lines.buffer.capacity());
        assert_eq!(lines.buffered(), Some(text("next")));
    }

    #[tokio::test]
    async fn a_line_over_the_limit_is_reported_once_and_the_next_is_read() {
        let long = [b"x".repeat(300_000), b"\nnext\n".to_vec()].concat();
        assert_eq!(read_all(&long, 1000).await, [Line::TooLong, text("next")]);
        assert_eq!(read_all(&b"x".repeat(300_000), 1000).await, [Line::TooLong]);
        assert_eq!(read_all(b"12345\n1234\n", 4).await, [Line::TooLong, text("1234")]);
    }
}
