import Schedules

extension Simulation {
    /// Runs `table` where some ranks share cores: event by event, since how fast a rank computes changes whenever
    /// another one of its group starts or ends.
    static func runOnSharedCores(
        _ table: ScheduleTable, costs: Costs, links: Links, recordsMessages: Bool
    ) throws -> Outcome {
        try table.validate()
        var run = SharedCoreRun(table, costs: costs, links: links, recordsMessages: recordsMessages)
        run.finish()
        return run.outcome
    }
}

private struct SharedCoreRun {
    private struct Rank {
        var next = 0
        var isRunning = false
        /// Seconds of computing left at full speed.
        var left = 0.0
        /// When the action before ended.
        var free = 0.0
        let group: Int
    }

    private let table: ScheduleTable
    private let costs: Costs
    private let links: Links
    private let index: TableIndex
    private let recomputed: [Bool]
    private let recordsMessages: Bool
    private let cores: [Double]
    private var running: [Int]
    private var ranks: [Rank]
    private var now = 0.0
    /// When products are there for their own rank and for the neighbour; infinite while that isn't known.
    private var local: [Double]
    private var remote: [Double]
    private var places: [Int32]
    private var linkFree: [Double]
    private(set) var outcome: Simulation.Outcome

    init(_ table: ScheduleTable, costs: Costs, links: Links, recordsMessages: Bool) {
        self.table = table
        self.costs = costs
        self.links = links
        self.recordsMessages = recordsMessages
        index = TableIndex(table.shape)
        recomputed = table.recomputedUnits()
        var groups = [Int](repeating: -1, count: table.shape.ranks)
        var cores: [Double] = []
        for group in costs.sharedCores {
            for rank in group.ranks { groups[rank] = cores.count }
            cores.append(group.cores)
        }
        for rank in groups.indices where groups[rank] < 0 {
            groups[rank] = cores.count
            cores.append(1)
        }
        self.cores = cores
        running = [Int](repeating: 0, count: cores.count)
        ranks = groups.map { Rank(group: $0) }
        local = [Double](repeating: .infinity, count: index.productCount)
        remote = local
        places = [Int32](repeating: 0, count: index.productCount)
        linkFree = [Double](repeating: 0, count: links.count)
        outcome = Simulation.Outcome(table)
    }

    mutating func finish() {
        startAll()
        while true {
            var next = Double.infinity
            for rank in ranks where rank.isRunning { next = min(next, now + rank.left / speed(rank.group)) }
            for rank in ranks.indices where !ranks[rank].isRunning {
                let ready = self.ready(rank).time
                if ready > now { next = min(next, ready) }
            }
            guard next < .infinity else { return }
            advance(to: next)
            startAll()
        }
    }

    private func speed(_ group: Int) -> Double { min(1, cores[group] / Double(max(1, running[group]))) }

    private mutating func advance(to time: Double) {
        // Speeds change only between events, so all progress is made with those of before.
        let speeds = cores.indices.map(speed)
        let elapsed = time - now
        now = time
        for rank in ranks.indices where ranks[rank].isRunning {
            ranks[rank].left -= elapsed * speeds[ranks[rank].group]
            // What rounding leaves of a finished action must not become an event of its own.
            if ranks[rank].left <= 1e-12 * max(now, 1e-9) { end(rank) }
        }
    }

    /// When the next action of an idle rank has all that it needs, and what came last; infinite while not known.
    private func ready(_ rank: Int) -> (time: Double, cause: Simulation.Cause) {
        let position = ranks[rank].next
        guard position < table.rows[rank].count else { return (.infinity, .none) }
        let action = table.rows[rank][position]
        var ready = ranks[rank].free
        var cause = position > 0 ? Simulation.Cause.rank : .none
        Dependencies.forEach(of: action, in: table.shape, recomputed: recomputed[index.unit(action)]) { dependency in
            let product = index.product(dependency)
            let owner = table.shape.rank(of: dependency.stage)
            let time = owner == rank ? local[product] : remote[product]
            if time > ready {
                ready = time
                cause = .action(rank: owner, position: Int(places[product]))
            }
        }
        return (ready, cause)
    }

    private mutating func startAll() {
        for rank in ranks.indices where !ranks[rank].isRunning {
            let (time, cause) = ready(rank)
            guard time <= now else { continue }
            let position = ranks[rank].next
            outcome.starts[rank][position] = now
            outcome.causes[rank][position] = cause
            ranks[rank].left = costs.duration(table.rows[rank][position], on: rank)
            ranks[rank].isRunning = true
            running[ranks[rank].group] += 1
        }
    }

    private mutating func end(_ rank: Int) {
        let position = ranks[rank].next
        let action = table.rows[rank][position]
        outcome.ends[rank][position] = now
        ranks[rank].isRunning = false
        ranks[rank].free = now
        ranks[rank].next += 1
        running[ranks[rank].group] -= 1
        let product = index.product(of: action)
        local[product] = now
        places[product] = Int32(position)
        guard let route = links.route(of: action) else { return }
        let sent = max(now, linkFree[route.link]) + route.occupancy
        linkFree[route.link] = sent
        remote[product] = sent + route.latency
        if recordsMessages {
            outcome.arrows.append(
                .init(
                    from: rank, to: route.peer, action: action, departure: now, arrival: remote[product],
                    bytes: route.bytes))
        }
    }
}
