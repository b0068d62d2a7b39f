//! The test as a command: signals end it, stderr shows how far it is, a table comes last.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::bench::SelftestError;
use super::tally::{Tally, grouped};
use super::{Options, run};

/// How often a line is written where nobody watches.
const SELDOM: Duration = Duration::from_secs(30);

/// Reads a number of minutes, at most those of a year.
///
/// # Errors
///
/// A sentence about what is allowed.
pub fn minutes(text: &str) -> Result<Duration, String> {
    let allowed = |minutes: &f64| 0.0 < *minutes && *minutes <= 525_600.0;
    let minutes = text.parse().ok().filter(allowed);
    let wrong = || "expected a number of minutes above 0, at most 525600".to_owned();
    minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0)).ok_or_else(wrong)
}

/// Makes the test and writes its report to `out`, also when a signal ends it early. True if nothing
/// was found that must not be.
///
/// # Errors
///
/// When the test cannot be made, or its report not be written.
pub fn command(options: &Options, json: bool, out: &mut dyn Write) -> Result<bool, SelftestError> {
    let failed = |action| {
        let path = options.places.first().cloned().unwrap_or_default();
        move |cause| SelftestError::Io { action, path, cause }
    };
    let stop = stop_flag().map_err(failed("listen for signals, for the test in"))?;
    let mut progress = Progress::new();
    let report = run(options, &stop, &mut |tally| progress.tell(tally));
    progress.end();
    let report = report?;
    let shown = if json { format!("{:#}", report.to_json()) } else { report.to_string() };
    writeln!(out, "{shown}").map_err(failed("tell the outcome of the test in"))?;
    Ok(report.is_good())
}

/// Returns a flag that is set once the process is asked to stop.
fn stop_flag() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signal = {
        let _inside = runtime.enter();
        stop_signal()?
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(signal);
        flag.store(true, Ordering::SeqCst);
    })?;
    Ok(stop)
}

/// Returns a future that completes when the process is asked to stop, or its terminal is closed.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Returns a future that completes when the process is asked to stop.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other platforms")]
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// A line on stderr: the same one again and again on a terminal, else one now and then.
#[derive(Debug)]
struct Progress {
    started: Instant,
    told: Instant,
    on_terminal: bool,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self { started: now, told: now, on_terminal: io::stderr().is_terminal() }
    }

    fn tell(&mut self, tally: &Tally) {
        if !self.on_terminal && self.told.elapsed() < SELDOM {
            return;
        }
        self.told = Instant::now();
        let (begin, end) = if self.on_terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let (seconds, points) = (self.started.elapsed().as_secs(), grouped(tally.points()));
        let (pages, lost) = (grouped(tally.acknowledged), tally.lost);
        let line = format!("{seconds} s: {points} points, {pages} pages acknowledged, {lost} lost");
        // Nobody has to read it.
        drop(write!(io::stderr(), "{begin}{line}{end}"));
    }

    fn end(&self) {
        if self.on_terminal {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_may_be_fractions_and_never_nothing() {
        assert_eq!(minutes("0.05"), Ok(Duration::from_secs(3)));
        assert_eq!(minutes("2"), Ok(Duration::from_mins(2)));
        for wrong in ["0", "-1", "x", "", "inf", "NaN", "1e9"] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
    }
}
