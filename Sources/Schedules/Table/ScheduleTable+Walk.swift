extension ScheduleTable {
    /// What keeps a rank from going on when a walk is stuck.
    public struct Wait: Sendable {
        /// Whose row it is.
        public let rank: Int
        /// The action that waits, within the row.
        public let position: Int
        /// What it waits for.
        public let dependency: Dependency
    }

    /// For each unit at each stage, numbered by `TableIndex.unit`, whether the table recomputes it.
    public func recomputedUnits() -> [Bool] {
        let index = TableIndex(shape)
        var recomputed = [Bool](repeating: false, count: index.size)
        for row in rows {
            for action in row where action.kind == .recompute { recomputed[index.unit(action)] = true }
        }
        return recomputed
    }

    /// Runs the rows as the ranks would, without time: each rank takes its next action as soon as all that it needs is
    /// done. Every action is visited after all that it needs and after its predecessors on the rank. Linear time.
    ///
    /// - Parameter visit: called with rank, position in the row, action and whether the action's unit is recomputed.
    /// - Returns: for each rank that cannot go on what it waits for; empty if all rows ran to their end.
    public func walk(_ visit: (_ rank: Int, _ position: Int, _ action: Action, _ recomputed: Bool) -> Void) -> [Wait] {
        let index = TableIndex(shape)
        let recomputed = recomputedUnits()
        var done = [Bool](repeating: false, count: index.productCount)
        // A product is awaited by at most one other rank; a rank that waits for itself never wakes, whatever stands
        // here.
        var waiter = [Int32](repeating: -1, count: index.productCount)
        var next = [Int](repeating: 0, count: shape.ranks)
        var waits = [Wait?](repeating: nil, count: shape.ranks)
        var runnable = Array((0..<shape.ranks).reversed())
        while let rank = runnable.popLast() {
            let row = rows[rank]
            waits[rank] = nil
            advance: while next[rank] < row.count {
                let action = row[next[rank]]
                let isRecomputed = recomputed[index.unit(action)]
                var missing: Dependency?
                Dependencies.forEach(of: action, in: shape, recomputed: isRecomputed) { dependency in
                    if missing == nil, !done[index.product(dependency)] { missing = dependency }
                }
                if let missing {
                    waits[rank] = Wait(rank: rank, position: next[rank], dependency: missing)
                    waiter[index.product(missing)] = Int32(rank)
                    break advance
                }
                visit(rank, next[rank], action, isRecomputed)
                next[rank] += 1
                let product = index.product(of: action)
                done[product] = true
                if waiter[product] >= 0 {
                    runnable.append(Int(waiter[product]))
                    waiter[product] = -1
                }
            }
        }
        return waits.compactMap(\.self)
    }
}
