import Hardware

extension Team {
    /// Gives each worker a run of consecutive items. Only for work whose items are independent, so that the cut can't
    /// matter. Where the team has little work the leader does it.
    ///
    /// - Parameter work: what a breakdown counts it as
    @inline(__always)
    func share(
        _ items: Int, grain: Int = 1, as work: Work = .elementwise, _ body: (_ worker: Int, _ items: Range<Int>) -> Void
    ) {
        let units = (items + grain - 1) / grain
        if count == 1 || units == 1 || hasLittleWork {
            alone(as: work) { if items > 0 { body(0, 0..<items) } }
            return
        }
        run(as: work) { worker in
            let from = min(items, units * worker / count * grain)
            let to = min(items, units * (worker + 1) / count * grain)
            if from < to { body(worker, from..<to) }
        }
    }
}
