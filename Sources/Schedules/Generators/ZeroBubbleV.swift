extension ScheduleGenerator {
    /// ZBV (arXiv 2401.10241, section 6) over slices: two stages a rank laid down the ranks and up again, weight
    /// gradients apart. The last stage lives on rank 0 beside the first, so gradients come back to every rank at about
    /// the same time. No bubble where F = B = W, at the peak memory of 1F1B's first rank on every rank.
    ///
    /// The K-1 slices that must pass before the first gradient of a sequence lengthen the warm-up and the cool-down by
    /// as many pairs.
    static let zeroBubbleV = ScheduleGenerator(
        name: "zbv",
        summary: "two stages a rank in a V, weight gradients apart; nearly no bubble at 1F1B's peak memory",
        layout: .vee
    ) { request in
        if let virtualStages = request.virtualStages, virtualStages != 2 {
            throw ScheduleError.unsupported(
                "schedule 'zbv' has 2 stages a rank, but \(virtualStages) were asked for; leave virtual stages at 2")
        }
        let shape = try request.shape(placement: Placement.vee(ranks: request.checkedRanks()))
        let rows = (0..<shape.ranks).map { rank in
            var row = ClippedRow(shape, down: rank, up: shape.stages - 1 - rank)
            let lag = shape.slices - 1
            row.run([.downForward], times: 2 * (shape.ranks - rank) - 1)
            row.run([.upForward, .downForward], times: rank + lag)
            row.run([.upForward, .upInput, .upWeight], times: shape.ranks - rank)
            while row.hasForwards {
                row.run([.downForward, .downInput, .downWeight, .upForward, .upInput, .upWeight], times: 1)
            }
            row.run([.downInput, .downWeight, .upInput, .upWeight], times: lag)
            row.run([.downInput, .upInput], times: rank)
            row.run([.downInput, .downWeight], times: shape.ranks - rank)
            row.run([.upInput, .downInput, .upWeight, .downWeight], times: shape.units)
            return row.builder.row
        }
        return ScheduleTable(name: "zbv", shape: shape, rows: rows)
    }
}

/// Writes a row of two stages and leaves out what has run out, so that few units need no case of their own.
private struct ClippedRow {
    enum Step { case downForward, downInput, downWeight, upForward, upInput, upWeight }

    private(set) var builder: RowBuilder
    private let down: Int
    private let up: Int
    private let units: Int

    init(_ shape: ScheduleShape, down: Int, up: Int) {
        builder = RowBuilder(shape)
        self.down = down
        self.up = up
        units = shape.units
    }

    var hasForwards: Bool { builder.forwards(down) < units || builder.forwards(up) < units }

    mutating func run(_ steps: [Step], times: Int) {
        for _ in 0..<times {
            for step in steps {
                switch step {
                case .downForward: forward(down)
                case .upForward: forward(up)
                case .downInput: input(down)
                case .upInput: input(up)
                case .downWeight: weight(down)
                case .upWeight: weight(up)
                }
            }
        }
    }

    private mutating func forward(_ stage: Int) {
        if builder.forwards(stage) < units { builder.forward(stage) }
    }

    private mutating func input(_ stage: Int) {
        if builder.backwards(stage) < units { builder.backwardInput(stage) }
    }

    private mutating func weight(_ stage: Int) {
        if builder.weights(stage) < builder.backwards(stage) { builder.backwardWeight(stage) }
    }
}
