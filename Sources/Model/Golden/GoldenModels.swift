import Glibc
import Hardware
import Numerics

/// Runs the golden models: whole and cut, states and their gradients, decoding, AdamW trajectories.
struct GoldenModels<Model: GoldenArchitecture> {
    let file: any GoldenSource
    let parameters: any GoldenSource
    let matrices: any MatrixProducts

    private func configuration(packed: Bool) throws -> Model {
        try Model(try file.object("config"), packed: packed)
    }

    private func run(packed: Bool, longest: Int, sequence: Int = 0) throws -> ModelRun<Model> {
        let run = ModelRun(try configuration(packed: packed), longest: longest, sequence: sequence, matrices)
        for name in parameters.names {
            try run.load(name, try parameters.floats(name), file: parameters.name)
        }
        let missing = run.stage.store.entries.map(\.spec).filter { $0.copyOf == nil && !parameters.has($0.name) }
        if let spec = missing.first {
            throw VerificationError("\(parameters.name): parameter '\(spec.name)' is missing")
        }
        return run
    }

    /// One way of cutting the sequence.
    struct Cut {
        let name: String
        /// Ends of the slices.
        let ends: [Int]
        /// Whether it visits every position that the file knows a state of: then all of the file is compared.
        var isComplete = false
    }

    /// Tokens between cuts of an architecture that can be cut anywhere.
    private static var cutLength: Int { 9 }

    /// Whole; at the positions of the file; ragged, with single tokens and slices longer than a chunk.
    func cuts() throws -> [Cut] {
        let L = try file.shape("in.tokens", axes: 2)[1]
        let multiple = try configuration(packed: false).sliceMultiple
        let C = multiple > 1 ? multiple : Self.cutLength
        let known = file.positions(of: "state").union(file.positions(of: "stategrad")).filter { $0 > 0 && $0 < L }
        let positions = ((try? file.metadata("positions"))?.list.compactMap { $0.number.map { Int($0) } } ?? []) + known
        let ragged = [1, 2, C - 1, C + 3, 2 * C + 1, 3 * C, 4 * C - 2]
        func ends(_ p: [Int]) -> [Int] { Array(Set(p.filter { $0 > 0 && $0 < L } + [L])).sorted() }
        var result = [Cut(name: "whole", ends: [L], isComplete: known.isEmpty)]
        if !positions.isEmpty {
            result.append(Cut(name: "cut at the file's positions", ends: ends(positions), isComplete: true))
        }
        result.append(Cut(name: "cut at chunks", ends: ends(Array(stride(from: C, to: L, by: C)))))
        result.append(Cut(name: "ragged", ends: ends(ragged)))
        return result
    }

    private func targetsCount(_ targets: [Int32]) -> Int { targets.filter { $0 >= 0 }.count }

    /// Loss, logits, gradients, states and state gradients.
    func sequence(_ cut: Cut, _ report: inout CaseReport) throws {
        let packed = try file.metadata("packed").flag ?? false
        let shape = try file.shape("in.tokens", axes: 2)
        let (B, L) = (shape[0], shape[1])
        let run = try run(packed: packed, longest: L)
        let V = run.configuration.vocabulary
        let tokens = try file.tokens("in.tokens", count: B * L, below: V)
        let targets = try file.tokens("in.targets", count: B * L, below: V, ignores: true)
        let count = targetsCount(targets)
        let scale = Float(1 / Double(count))
        var logits: [Float] = []
        var loss = 0.0
        var states: [String: [Float]] = [:]
        var cursors: [String: [Int32]] = [:]
        var stateGradients: [String: [Float]] = [:]
        run.stage.beginStep()
        for b in 0..<B {
            let (t, g) = (tokens.row(b, of: B), targets.row(b, of: B))
            let reader = ModelRun<Model>.Stream(run)
            var start = 0
            for end in cut.ends {
                let piece = Array(t[start..<end])
                let (l, s) = run.forward(reader, tokens: piece, targets: Array(g[start..<end]), lossScale: 0)
                logits += l
                loss += s
                for (name, values) in run.named(reader.state, at: end) {
                    states["state.\(end).\(name)", default: []] += values
                }
                for (name, values) in run.numbers(reader) {
                    cursors["state.\(end).\(name)", default: []] += values
                }
                start = end
            }
            run.forget()
            let stream = ModelRun<Model>.Stream(run)
            start = 0
            for end in cut.ends {
                _ = run.forward(
                    stream, tokens: Array(t[start..<end]), targets: Array(g[start..<end]), lossScale: scale)
                start = end
            }
            run.backward(tokens: t, targets: g, lossScale: scale) { position, gradient in
                for (name, values) in run.named(gradient, at: position, isGradient: true) {
                    stateGradients["stategrad.\(position).\(name)", default: []] += values
                }
            }
        }
        run.stage.endStep()
        report.compare("out.logits", logits, try file.floats("out.logits"), tolerance: Tolerance.output)
        report.compare(
            "out.loss", [Float(loss / Double(count))], try file.floats("out.loss"), tolerance: Tolerance.output)
        for name in file.names {
            if name.hasPrefix("grad.") {
                let parameter = String(name.dropFirst(5))
                report.compare(
                    name, run.gradient(parameter), try file.floats(name), tolerance: Tolerance.gradient)
            } else if let found = states[name] {
                report.compare(name, found, try file.floats(name), tolerance: Tolerance.output)
            } else if let found = cursors[name] {
                report.require(name, found, try file.ints(name))
            } else if let found = stateGradients[name] {
                report.compare(name, found, try file.floats(name), tolerance: Tolerance.gradient)
            }
        }
        for name in parameters.names where !file.has("grad.\(name)") { throw file.missing("grad.\(name)") }
        if cut.isComplete {
            try file.requireWholeStates("state", Array(states.keys) + Array(cursors.keys))
            try file.requireWholeStates("stategrad", stateGradients.keys)
            try file.requireAllCompared(report.compared)
        }
    }

    /// Greedy decoding after a prompt, one token a call.
    func decode(_ report: inout CaseReport) throws {
        let shape = try file.shape("in.prompt", axes: 2)
        let (B, length) = (shape[0], shape[1])
        let steps = try file.shape("out.tokens", axes: 2)[1]
        let run = try run(
            packed: (try? file.metadata("packed"))?.flag ?? false, longest: length, sequence: length + steps)
        let V = run.configuration.vocabulary
        let prompt = try file.tokens("in.prompt", count: B * length, below: V)
        run.stage.beginStep()
        var tokens: [Int32] = []
        var logits: [Float] = []
        var states: [String: [Float]] = [:]
        var cursors: [String: [Int32]] = [:]
        for b in 0..<B {
            let stream = ModelRun<Model>.Stream(run)
            var last = run.forward(stream, tokens: prompt.row(b, of: B), targets: nil, lossScale: 0).logits.suffix(V)
            for step in 0..<steps {
                logits += last
                let next = Int32(last.enumerated().max { ($0.element, -$0.offset) < ($1.element, -$1.offset) }!.offset)
                tokens.append(next)
                if step + 1 < steps {
                    last = run.forward(stream, tokens: [next], targets: nil, lossScale: 0).logits.suffix(V)
                }
            }
            let position = stream.cursor.position
            for (name, values) in run.named(stream.state, at: position) {
                states["state.\(position).\(name)", default: []] += values
            }
            for (name, values) in run.numbers(stream) {
                cursors["state.\(position).\(name)", default: []] += values
            }
            run.forget()
        }
        report.require("out.tokens", tokens, try file.ints("out.tokens"))
        report.compare("out.logits", logits, try file.floats("out.logits"), tolerance: Tolerance.output)
        for name in file.names {
            if let found = states[name] {
                report.compare(name, found, try file.floats(name), tolerance: Tolerance.output)
            } else if let found = cursors[name] {
                report.require(name, found, try file.ints(name))
            }
        }
        try file.requireWholeStates("state", Array(states.keys) + Array(cursors.keys))
        try file.requireAllCompared(report.compared, except: ["out.forced_logits"])
    }

    /// Given tokens fed one at a time after the prompt.
    func forced(_ report: inout CaseReport) throws {
        let shape = try file.shape("in.prompt", axes: 2)
        let (B, length) = (shape[0], shape[1])
        let steps = try file.shape("in.forced", axes: 2)[1]
        let run = try run(
            packed: (try? file.metadata("packed"))?.flag ?? false, longest: length, sequence: length + steps)
        let V = run.configuration.vocabulary
        let prompt = try file.tokens("in.prompt", count: B * length, below: V)
        let given = try file.tokens("in.forced", count: B * steps, below: V)
        run.stage.beginStep()
        var logits: [Float] = []
        for b in 0..<B {
            let stream = ModelRun<Model>.Stream(run)
            logits += run.forward(stream, tokens: prompt.row(b, of: B), targets: nil, lossScale: 0).logits.suffix(V)
            for token in given.row(b, of: B) {
                logits += run.forward(stream, tokens: [token], targets: nil, lossScale: 0).logits
            }
            run.forget()
        }
        report.compare("out.forced_logits", logits, try file.floats("out.forced_logits"), tolerance: Tolerance.output)
    }

    /// AdamW steps from the given parameters.
    func adamW(_ report: inout CaseReport) throws {
        let packed = try file.metadata("packed").flag ?? false
        let h = try file.object("optimizer")
        let decayed = Set(try file.metadata("decayed").list.compactMap(\.text))
        let shape = try file.shape("in.tokens", axes: 3)
        let (steps, B, L) = (shape[0], shape[1], shape[2] - 1)
        let run = try run(packed: packed, longest: L)
        let all = try file.tokens("in.tokens", count: steps * B * (L + 1), below: run.configuration.vocabulary)
        let store = run.stage.store
        let adam = AdamW(
            beta1: try h.number("beta1"), beta2: try h.number("beta2"), eps: try h.number("eps"),
            weightDecay: try h.number("weight_decay"))
        let names = store.entries.map(\.spec).filter { $0.copyOf == nil }.map(\.name)
        for name in names where decayed.contains(name) != store[name]!.spec.decays {
            report.failure = "\(name): weight decay applies \(decayed.contains(name) ? "in the file" : "here") only"
        }
        var losses: [Float] = []
        var norms: [Float] = []
        for step in 0..<steps {
            let rows = (0..<B).map { all.row(step, of: steps).row($0, of: B) }
            let targets = rows.map { row in
                row.dropFirst().map { packed && $0 == run.configuration.documentMark ? -100 : $0 }
            }
            let count = targets.reduce(0) { $0 + targetsCount($1) }
            let scale = Float(1 / Double(count))
            var loss = 0.0
            run.stage.beginStep()
            for (row, target) in zip(rows, targets) {
                let t = Array(row.dropLast())
                loss += run.forward(ModelRun<Model>.Stream(run), tokens: t, targets: target, lossScale: scale).loss
                run.backward(tokens: t, targets: target, lossScale: scale) { _, _ in }
            }
            run.stage.endStep()
            losses.append(Float(loss / Double(count)))
            for copy in store.entries.map(\.spec) {
                guard let original = copy.copyOf else { continue }
                let (a, b) = (store.gradient(original)!, store.gradient(copy.name)!)
                for i in 0..<copy.count {
                    a[i] += b[i]
                    b[i] = a[i]
                }
            }
            let norm = names.reduce(0.0) { $0 + store.gradientValues($1).reduce(0.0) { $0 + Double($1) * Double($1) } }
                .squareRoot()
            norms.append(Float(norm))
            let clip = Float(min(1, try h.number("clip") / (norm + 1e-6)))
            let update = AdamW.Step(number: step + 1, rate: try h.number("lr"), clip: clip)
            for tensor in store.entries.compactMap(store.updated) { adam.update(matrices.team, tensor, update) }
        }
        report.compare("out.losses", losses, try file.floats("out.losses"), tolerance: Tolerance.output)
        report.compare("out.grad_norms", norms, try file.floats("out.grad_norms"), tolerance: Tolerance.gradient)
        for name in names {
            let found = Array(UnsafeBufferPointer(start: store.value(name)!, count: store[name]!.count))
            report.compare("final.\(name)", found, try file.floats("final.\(name)"), tolerance: Tolerance.trajectory)
        }
        try file.requireAllCompared(report.compared)
    }
}
