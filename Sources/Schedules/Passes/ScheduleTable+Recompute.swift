extension ScheduleTable {
    /// The table with a recompute in front of every backward that has none: only a slice's input and entry state are
    /// then kept from its forward on, and its activations just from the recompute to the end of its backward.
    public func withRecompute() -> ScheduleTable {
        let index = TableIndex(shape)
        let recomputed = recomputedUnits()
        return with(
            rows: rows.map { row in
                row.flatMap { action in
                    action.kind.givesInputGradient && !recomputed[index.unit(action)]
                        ? [action.with(.recompute), action] : [action]
                }
            })
    }
}
