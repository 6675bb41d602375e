extension ScheduleTable {
    /// Checks that the table holds each action exactly once on the right rank, sums weight gradients in the one order,
    /// and runs to its end. Linear time.
    ///
    /// - Throws: `ScheduleError` for the first fault found, with the rows around it.
    public func validate() throws {
        let places = try checkCells()
        try checkCompleteness(places)
        try checkSummationOrder()
        try checkProgress()
    }

    /// Where each kind of action on each unit stands: `places[kind][unit]`, -1 where it doesn't.
    private typealias Places = [[Int32]]

    private func checkCells() throws -> Places {
        let index = TableIndex(shape)
        // An action count below two a unit cannot be complete; saying so first keeps memory in step with the text's
        // size.
        guard actionCount >= 2 * index.size else { throw firstOfTooFew() }
        var places = Places(
            repeating: [Int32](repeating: -1, count: index.size), count: ActionKind.allCases.count)
        for (rank, row) in rows.enumerated() {
            for (position, action) in row.enumerated() {
                guard shape.contains(action) else {
                    throw cellError(
                        .shape, rank, position,
                        "\(action) is outside the table: stages are 0..<\(shape.stages), sequences "
                            + "0..<\(shape.sequences), slices 0..<\(shape.slices)")
                }
                let owner = shape.rank(of: action.stage)
                guard owner == rank else {
                    throw cellError(
                        .wrongRank, rank, position,
                        "\(action) stands on rank \(rank), but stage \(action.stage) is placed on rank \(owner); "
                            + "move it to that row")
                }
                let unit = index.unit(action)
                let kind = Int(action.kind.rawValue)
                let earlier = places[kind][unit]
                guard earlier < 0 else {
                    throw cellError(
                        .doubled, rank, position,
                        "\(action) stands here and at position \(earlier) of the same row; expected once, delete one")
                }
                places[kind][unit] = Int32(position)
            }
        }
        return places
    }

    private func checkCompleteness(_ places: Places) throws {
        let index = TableIndex(shape)
        func place(_ kind: ActionKind, _ unit: Int) -> Int32 { places[Int(kind.rawValue)][unit] }
        for stage in 0..<shape.stages {
            for sequence in 0..<shape.sequences {
                for slice in 0..<shape.slices {
                    let unit = index.unit(stage: stage, sequence: sequence, slice: slice)
                    func action(_ kind: ActionKind) -> Action {
                        Action(kind, stage: stage, sequence: sequence, slice: slice)
                    }
                    if place(.forward, unit) < 0 { throw missing(action(.forward)) }
                    let fused = place(.backward, unit)
                    let input = place(.backwardInput, unit)
                    let weight = place(.backwardWeight, unit)
                    if fused >= 0, input >= 0 || weight >= 0 {
                        let extra = action(input >= 0 ? .backwardInput : .backwardWeight)
                        throw cellError(
                            .mixedBackward, shape.rank(of: stage), Int(max(input, weight)),
                            "the unit has a fused backward \(action(.backward)) at position \(fused) and \(extra) "
                                + "beside it; expected either D alone, or B and W")
                    }
                    if fused < 0 {
                        if input < 0 { throw missing(action(weight < 0 ? .backward : .backwardInput)) }
                        if weight < 0 { throw missing(action(.backwardWeight)) }
                    }
                }
            }
        }
    }

    private func checkSummationOrder() throws {
        let order = UnitOrder(slices: shape.slices)
        var nextInput = [Int](repeating: 0, count: shape.stages)
        var nextWeight = nextInput
        for (rank, row) in rows.enumerated() {
            for (position, action) in row.enumerated() {
                func check(_ next: inout [Int], _ kinds: String) throws {
                    let expected = order.backward(next[action.stage])
                    guard action.sequence == expected.sequence, action.slice == expected.slice else {
                        let unit = Action(
                            action.kind, stage: action.stage, sequence: expected.sequence, slice: expected.slice)
                        throw cellError(
                            .summationOrder, rank, position,
                            "\(action) comes out of order: \(kinds) of a stage go by ascending sequence and, within "
                                + "one, "
                                + "by descending slice, so that sums are the same in every schedule; expected \(unit) "
                                + "here"
                        )
                    }
                    next[action.stage] += 1
                }
                if action.kind.givesInputGradient { try check(&nextInput, "backwards") }
                if action.kind.givesWeightGradient { try check(&nextWeight, "weight gradients") }
            }
        }
    }

    private func checkProgress() throws {
        let waits = walk { _, _, _, _ in }
        guard var wait = waits.first else { return }
        if let own = waits.first(where: { shape.rank(of: $0.dependency.stage) == $0.rank }) {
            throw cellError(
                .dependency, own.rank, own.position,
                "\(rows[own.rank][own.position]) needs \(own.dependency.description), which stands later in the same "
                    + "row; put it before this action")
        }
        // Each rank that is stuck waits for one that is stuck: follow that until a rank comes up again.
        let byRank = Dictionary(uniqueKeysWithValues: waits.map { ($0.rank, $0) })
        var seen: Set<Int> = []
        while seen.insert(wait.rank).inserted {
            guard let owner = byRank[shape.rank(of: wait.dependency.stage)] else {
                preconditionFailure("a rank waits for a rank that has finished")
            }
            wait = owner
        }
        var circle: [String] = []
        var next = wait
        repeat {
            let owner = shape.rank(of: next.dependency.stage)
            circle.append(
                "rank \(next.rank) at position \(next.position) (\(rows[next.rank][next.position])) waits for "
                    + "\(next.dependency.description) of rank \(owner)")
            guard let following = byRank[owner] else { break }
            next = following
        } while next.rank != wait.rank
        throw cellError(
            .deadlock, wait.rank, wait.position,
            "ranks would wait for each other for ever: " + circle.joined(separator: "; ")
                + "; move one of the awaited actions earlier in its row")
    }

    private func cellError(
        _ fault: ScheduleError.Fault, _ rank: Int, _ position: Int, _ message: String
    ) -> ScheduleError {
        .cell(fault, in: self, rank: rank, position: position, action: rows[rank][position], message)
    }

    /// The error for an action that the table lacks, shown where its neighbour in the stage's order stands.
    private func missing(_ action: Action) -> ScheduleError {
        let rank = shape.rank(of: action.stage)
        let order = UnitOrder(slices: shape.slices)
        func key(_ other: Action) -> Int {
            other.kind == .forward
                ? shape.unit(other.sequence, other.slice)
                : order.backwardIndex(sequence: other.sequence, slice: other.slice)
        }
        let own = key(action)
        let position =
            rows[rank].firstIndex { other in
                other.stage == action.stage && key(other) > own
                    && (other.kind == action.kind || other.kind.givesInputGradient && action.kind.givesInputGradient)
            } ?? rows[rank].count
        let wanted = action.kind == .backward ? "\(action), or B and W in its place" : "\(action)"
        return .cell(
            .missing, in: self, rank: rank, position: position, action: action,
            "\(wanted) is nowhere in the table; every unit needs one F and either BW or B and W at each stage; "
                + "add it to this row")
    }

    private func firstOfTooFew() -> ScheduleError {
        var held: Set<Action> = []
        for row in rows { held.formUnion(row) }
        for stage in 0..<shape.stages {
            for sequence in 0..<shape.sequences {
                for slice in 0..<shape.slices {
                    let forward = Action(.forward, stage: stage, sequence: sequence, slice: slice)
                    if !held.contains(forward) { return missing(forward) }
                    let backward = forward.with(.backward)
                    if !held.contains(backward), !held.contains(forward.with(.backwardInput)) {
                        return missing(backward)
                    }
                }
            }
        }
        preconditionFailure("a table with fewer than two actions a unit lacks a forward or a backward")
    }
}
