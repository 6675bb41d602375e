extension ScheduleTable {
    /// Each fused backward as an input gradient and, right after it, a weight gradient.
    public func splittingWeightGradients() -> ScheduleTable {
        with(
            rows: rows.map { row in
                row.flatMap { action in
                    action.kind == .backward ? [action.with(.backwardInput), action.with(.backwardWeight)] : [action]
                }
            })
    }

    /// Each input gradient as a fused backward, the separate weight gradients gone. Legal whenever the table is:
    /// nothing waits for a weight gradient, and both kinds come in one order.
    public func mergingWeightGradients() -> ScheduleTable {
        with(
            rows: rows.map { row in
                row.compactMap { action in
                    switch action.kind {
                    case .backwardInput: action.with(.backward)
                    case .backwardWeight: nil
                    default: action
                    }
                }
            })
    }
}

extension ScheduleTable {
    /// Each input gradient that its own weight gradient follows at once as a fused backward; the others stay apart.
    public func mergingAdjacentWeightGradients() -> ScheduleTable {
        with(
            rows: rows.map { row in
                var merged: [Action] = []
                for action in row {
                    if action.kind == .backwardWeight, merged.last == action.with(.backwardInput) {
                        merged[merged.count - 1] = action.with(.backward)
                    } else {
                        merged.append(action)
                    }
                }
                return merged
            })
    }
}
