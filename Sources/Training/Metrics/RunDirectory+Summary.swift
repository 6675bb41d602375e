import Checkpoints

extension RunDirectory {
    /// How far the run here has come, in a few words: "finished, step 480".
    package var summary: String {
        let last = (try? MetricsTail(metrics, count: 1))?.recent.last
        return (isFinished ? "finished" : "unfinished") + (last.map { ", step \($0.step)" } ?? "")
    }
}
