import Checkpoints

extension RunDirectory {
    /// How far the run here has come, in a few words: "finished, step 480".
    package var summary: String {
        let last = (try? MetricsFile(metrics)?.last(1))?.last
        return (isFinished ? "finished" : "unfinished") + (last.map { ", step \($0.step)" } ?? "")
    }
}
