import ArgumentParser
import Files
import Schedules
import Simulation

/// Nothing that is asked for is passed over in silence: what can't have an effect is refused before the work, what
/// turns out to have none is told.
extension Simulate {
    func checkCombinations() throws {
        let shape = given([
            ("RUN", configurationFile != nil), ("--stages", stages != nil), ("--virtual", virtual != nil),
            ("--sequences", sequences != nil), ("--slices", slices != nil), ("--schedule", schedule != nil),
            ("--recompute", recompute), ("--cap", cap != nil),
        ])
        let products = given([
            ("--svg", svg != nil), ("--trace", trace != nil), ("--save", save != nil), ("--messages", messages),
        ])
        let drawing = given([("--columns", columns != nil), ("--draw", draw == true)])
        if against != nil {
            try refuse(
                shape + given([("--compare", compare != nil)]) + products + drawing, beside: "--against",
                "the run's own schedule is compared with its trace")
        }
        if compare != nil {
            try refuse(given([("--schedule", schedule != nil)]), beside: "--compare", "name all schedules in --compare")
            try refuse(products + drawing, beside: "--compare", "draw and write one schedule, with --schedule")
        }
        if json { try refuse(drawing, beside: "--json", "it prints JSON and draws nothing") }
        if draw == false { try refuse(given([("--columns", columns != nil)]), beside: "--no-draw", "nothing is drawn") }
        if messages, svg == nil {
            throw ValidationError("--messages changes nothing without --svg: they are drawn in the picture")
        }
        if output.overwrite, svg == nil, trace == nil, save == nil {
            throw ValidationError("--overwrite changes nothing without --svg, --trace or --save: nothing is written")
        }
        if let cap {
            do { _ = try MemoryCap(text: cap) } catch { throw ValidationError("--cap: \(error)") }
        }
    }

    private func given(_ options: [(name: String, isGiven: Bool)]) -> [String] {
        options.filter(\.isGiven).map(\.name)
    }

    private func refuse(_ options: [String], beside other: String, _ reason: String) throws {
        guard let option = options.first else { return }
        throw ValidationError("\(option) changes nothing beside \(other): \(reason); leave one of them out")
    }

    /// Refuses pictures and traces that nobody could open.
    func checkDrawable(_ simulation: Simulation) throws {
        if trace != nil, simulation.table.actionCount > PerfettoTrace.mostSpans {
            throw ValidationError(
                """
                --trace: the step has \(simulation.table.actionCount) actions, expected at most \
                \(PerfettoTrace.mostSpans): take fewer sequences or slices
                """
            )
        }
        if messages, simulation.arrows.count > TimelineSVG.mostMessages {
            throw ValidationError(
                """
                --messages: the step has \(simulation.arrows.count), expected at most \(TimelineSVG.mostMessages): \
                leave it out, or take fewer sequences or slices
                """
            )
        }
    }

    /// Says which options changed nothing in any of the steps.
    func tellIdleOptions(_ steps: [StepUse]) {
        let kinds = steps.reduce(into: Set<ActionKind>()) { $0.formUnion($1.kinds) }
        let pairs = steps.reduce(into: Set<Network.NodePair>()) { $0.formUnion($1.pairs) }
        let notes =
            costs.idleOptions(kinds: kinds, hasMessages: !pairs.isEmpty) + network.idleOptions(crossing: pairs)
        for note in notes { Console.complain("note: \(note)") }
    }
}

/// What a simulated step makes use of.
struct StepUse {
    let kinds: Set<ActionKind>
    /// Nodes between which messages go.
    let pairs: Set<Network.NodePair>

    init(_ simulation: Simulation) {
        kinds = simulation.table.rows.reduce(into: []) { kinds, row in for action in row { kinds.insert(action.kind) } }
        let shape = simulation.table.shape
        var pairs: Set<Network.NodePair> = []
        for stage in 0..<max(0, shape.stages - 1) where shape.isMessageBoundary(after: stage) {
            let nodes = [stage, stage + 1].map { simulation.network.node(of: shape.rank(of: $0)) }
            pairs.formUnion([.init(from: nodes[0], to: nodes[1]), .init(from: nodes[1], to: nodes[0])])
        }
        self.pairs = pairs
    }
}
