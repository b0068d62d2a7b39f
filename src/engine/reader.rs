//! Reads pages while the engine waits for the disk: what the index needs of a page is not needed
//! before it is stored, nor is what filing reads on it before it is filed.
//!
//! It holds nothing of the memory. Where the thread cannot be had, or fails, the engine reads the
//! page itself: what is read depends on the page's texts and time alone.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::embed::StaticModel;
use crate::memory::page::{NewPage, Slot};
use crate::memory::reading::PageReading;
use crate::retrieval::Analysis;

/// How far the thread steps back: where it gets no processor of its own, its work is for the time in
/// which the engine waits.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// What is read on a page.
#[derive(Debug)]
pub(super) struct PageRead {
    /// What the index needs of it.
    pub(super) analysis: Analysis,
    /// The same in the form in which it is kept.
    pub(super) bytes: Vec<u8>,
    /// What filing reads on it, as if it stood in place 0.
    pub(super) reading: PageReading,
}

/// A page that is being read.
#[derive(Debug)]
pub(super) struct BeingRead(Option<Receiver<PageRead>>);

impl BeingRead {
    /// Waits for what is read; none where the page must be read anew.
    pub(super) fn wait(self) -> Option<PageRead> {
        self.0?.recv().ok()
    }
}

/// A page on its way to the thread, and where to put what is read.
type Job = (NewPage, Sender<PageRead>);

/// The thread. Dropping it ends it.
#[derive(Debug, Default)]
pub(super) struct PageReader {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl PageReader {
    /// Starts the thread.
    pub(super) fn start() -> Self {
        let (jobs, inbox) = channel::<Job>();
        let work = move || {
            step_back();
            for (page, done) in inbox {
                let read = read(&page);
                // Nobody waits any more where the page was refused.
                drop(done.send(read));
            }
        };
        let thread = std::thread::Builder::new().name("reader".to_owned()).spawn(work);
        if let Err(error) = &thread {
            tracing::warn!(%error, "pages are not read ahead");
        }
        Self { jobs: Some(jobs), thread: thread.ok() }
    }

    /// Begins to read a page.
    pub(super) fn begin(&self, page: &NewPage) -> BeingRead {
        let (done, read) = channel();
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send((page.clone(), done)).is_ok());
        BeingRead(sent.then_some(read))
    }
}

impl Drop for PageReader {
    fn drop(&mut self) {
        self.jobs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("reading a page panicked");
        }
    }
}

/// Takes less of the processor than others that want it; on Linux that is for this thread alone.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "the reader cannot step back");
    }
}

fn read(page: &NewPage) -> PageRead {
    let analysis = Analysis::of(&page.texts, page.timestamp, StaticModel::built_in());
    PageRead {
        bytes: analysis.to_bytes(),
        analysis,
        reading: PageReading::of(Slot(0), &page.texts),
    }
}
