/// A place where a run can be made to die, to show that nothing is lost there. In the order in which a step, its
/// checkpoint and the clean-up pass them; docs/checkpoints.md says what is on disk at each.
package enum FaultPoint: String, Sendable, CaseIterable {
    /// Before anything else, in every process; `step` is 0.
    case start = "start"
    /// The products by which gecko doctor checks a core; `step` is the core's number.
    case products = "products"
    /// Before a training step; `step` counts the steps done so far.
    case step = "step"
    /// The gradients of a step are complete, and nothing is updated yet; `step` counts the steps done so far.
    case gradients = "gradients"
    /// Memory for a checkpoint's copy is asked for; with `fail` there is none. `step` is that of the checkpoint.
    case memory = "memory"
    /// The state has been copied; nothing of this checkpoint is on disk.
    case snapshotTaken = "snapshot-taken"
    /// The checkpoint's folder is there; this rank's first file isn't.
    case partBegin = "part-begin"
    /// Half of this rank's first file is written.
    case partHalf = "part-half"
    /// All bytes of the file are written, under its temporary name and not yet flushed.
    case partWritten = "part-written"
    /// The file is flushed and still has its temporary name.
    case partFlushed = "part-flushed"
    /// This rank's files are durable under their names.
    case partDurable = "part-durable"
    /// All ranks' files are durable; there is no manifest.
    case manifestBegin = "manifest-begin"
    /// Half of the manifest is written, under its temporary name.
    case manifestHalf = "manifest-half"
    /// The manifest is flushed and still has its temporary name.
    case manifestFlushed = "manifest-flushed"
    /// The manifest has its name: the checkpoint counts from here.
    case manifestDurable = "manifest-durable"
    /// Before anything old is removed.
    case cleanupBegin = "cleanup-begin"
    /// An old checkpoint has lost its name and still has its files.
    case cleanupRenamed = "cleanup-renamed"
    /// One of its files is gone.
    case cleanupHalf = "cleanup-half"
    /// It is gone altogether.
    case cleanupDone = "cleanup-done"
    /// A resuming run has chosen its checkpoint and loaded nothing.
    case resumeChosen = "resume-chosen"
    /// A resuming run has loaded its state.
    case resumeLoaded = "resume-loaded"
    /// Before a piece of an evaluation; `step` counts the steps done so far.
    case evaluate = "evaluate"
    /// Before the sample at the run's end; `step` counts all steps.
    case sample = "sample"
    /// Before the finished model is written; `step` counts all steps.
    case saveModel = "save-model"
}
