import Hardware
import Kernels
import Numerics

/// Runs the golden cases of a whole layer.
struct GoldenLayers<Model: GoldenArchitecture> {
    let file: any GoldenSource
    let matrices: any MatrixProducts

    /// A case's model and sizes.
    private struct Case {
        let name: String
        let run: ModelRun<Model>
        let position: Int
        let rows, length, dim: Int
        let isPacked: Bool
    }

    private func open(_ name: String) throws -> Case {
        let h = try file.object(name)
        guard case .object(let values)? = h.values["config"] else {
            throw VerificationError("\(file.name): '\(name)' has no object 'config'")
        }
        let packed = file.has("\(name).in.bos")
        var c = try Model(Hyperparameters(file: file.name, key: name, values: values), packed: packed)
        c.set("layers", to: 1)
        let shape = try file.shape("\(name).in.x", axes: 3)
        let position = try h.int("position")
        guard shape[2] == c.dim, position >= 0 else {
            throw VerificationError(
                "\(file.name): '\(name)' has \(shape[2]) features at position \(position); its configuration says "
                    + "\(c.dim)")
        }
        let run = ModelRun(c, parts: [.layer(0)], longest: shape[1], sequence: position + shape[1], matrices)
        let prefix = "\(name).in.param."
        for tensor in file.names where tensor.hasPrefix(prefix) {
            try run.load("layers.0." + tensor.dropFirst(prefix.count), try file.floats(tensor), file: file.name)
        }
        for entry in run.stage.store.entries {
            let tensor = prefix + entry.spec.name.dropFirst("layers.0.".count)
            if !file.has(tensor) { throw file.missing(tensor) }
        }
        return Case(
            name: name, run: run, position: position, rows: shape[0], length: shape[1], dim: shape[2],
            isPacked: packed)
    }

    /// Writes one row of the golden state (`in` or `up`) into our layout.
    private func fill(
        _ c: Case, _ role: String, _ state: ModelRun<Model>.State, row b: Int, at position: Int
    ) throws {
        for tensor in c.run.tensors(state, of: 0, at: position, isGradient: role == "up") where tensor.count > 0 {
            let name = "\(c.name).\(role).state.\(tensor.name)"
            tensor.write(try file.floats(name, count: c.rows * tensor.count).row(b, of: c.rows))
        }
    }

    /// The slice of row `b`, at its place in a stream.
    private func slice(_ c: Case, row b: Int) throws -> (slice: any SharedSlice, documents: [Int32]) {
        var documents = [Int32](repeating: 0, count: c.position)
        let cursor = try c.run.configuration.goldenCursor(position: c.position) { name, count in
            // Documents are told apart where there are flags for their first tokens; then their numbers must be there,
            // too.
            let isDocument = name != "norm_count"
            if isDocument && !c.isPacked { return nil }
            let values = try file.ints("\(c.name).in.\(name)", count: c.rows * count).row(b, of: c.rows)
            if name == "window_segments" { documents = values }
            return values
        }
        let mark = c.run.configuration.documentMark ?? -1
        let flags = c.isPacked ? try file.flags("\(c.name).in.bos", count: c.rows * c.length).row(b, of: c.rows) : []
        let tokens = (0..<c.length).map { c.isPacked && flags[$0] ? mark : mark + 1 }
        return (c.run.slice(at: cursor, tokens: tokens), documents)
    }

    func run(_ name: String, _ report: inout CaseReport) throws {
        let c = try open(name)
        var found: [String: [Float]] = [:]
        var numbers: [String: [Int32]] = [:]
        c.run.stage.beginStep()
        for b in 0..<c.rows {
            let (slice, documents) = try slice(c, row: b)
            for (name, values) in try pass(c, slice, row: b) { found[name, default: []] += values }
            for (n, values) in c.run.configuration.goldenNumbers(slice.exit, documents: documents)
            where n.hasPrefix("layers.0.") {
                numbers["out." + n.dropFirst("layers.0.".count), default: []] += values
            }
        }
        c.run.stage.endStep()
        for tensor in file.names where tensor.hasPrefix("\(name).") {
            let n = String(tensor.dropFirst(name.count + 1))
            if n.hasPrefix("grad.param.") {
                report.compare(
                    n, c.run.stage.store.gradientValues("layers.0." + n.dropFirst("grad.param.".count)),
                    try file.floats(tensor), tolerance: Tolerance.gradient)
            } else if let values = found[n] {
                report.compare(
                    n, values, try file.floats(tensor),
                    tolerance: n.hasPrefix("out") ? Tolerance.output : Tolerance.gradient)
            }
        }
        for (n, values) in numbers { report.require(n, values, try file.ints("\(name).\(n)")) }
        for output in found.keys.sorted()
        where output.hasPrefix("out.") && found[output]?.isEmpty == false && !file.has("\(name).\(output)") {
            throw file.missing("\(name).\(output)")
        }
        try file.requireComplete(case: name, compared: report.compared)
    }

    /// Forward and backward of one row: outputs, states and gradients, by their names in the case.
    private func pass(_ c: Case, _ slice: any SharedSlice, row b: Int) throws -> [(name: String, values: [Float])] {
        let stage = c.run.stage
        let (entry, exit) = (c.run.makeState(), c.run.makeState())
        try fill(c, "in", entry, row: b, at: c.position)
        let slot = FloatBuffer(stage.slotCount)
        let y = FloatBuffer(stage.shape.length * c.dim)
        let count = c.length * c.dim
        stage.input(slot.base).update(
            from: try file.floats("\(c.name).in.x", count: c.rows * count).row(b, of: c.rows), count: count)
        let context = stage.context(slice: slice, tokens: nil, targets: nil, lossScale: 0, dropout: nil)
        stage.forward(
            context, slot: slot.base, entry: entry.copied.base, exit: exit.copied.base,
            prefix: c.run.prefix(entry, first: c.position), output: y.base)
        var found: [(String, [Float])] = [("out.y", y.values(count))]
        if let layer = stage.blocks[0] as? any GoldenLayer {
            let middle = layer.middle(stash: stage.stash(slot.base, of: 0))
            found.append(("out.mid", Array(UnsafeBufferPointer(start: middle, count: count))))
        }
        // Rows of all tokens are never copied: they are where the slice found and left them.
        let after = ModelRun<Model>.State(copied: exit.copied, prefix: entry.prefix)
        for tensor in c.run.tensors(after, of: 0, at: c.position + c.length, isGradient: false) {
            found.append(("out.state." + tensor.name, tensor.read()))
        }
        let gradients = c.run.makeState()
        try fill(c, "up", gradients, row: b, at: c.position + c.length)
        let gradient = FloatBuffer(try file.floats("\(c.name).up.y", count: c.rows * count).row(b, of: c.rows))
        let gradientSlot = FloatBuffer(stage.gradientSlotCount)
        stage.backward(
            context,
            .init(
                slot: slot.base, gradientSlot: gradientSlot.base, gradient: gradient.base,
                stateGradient: gradients.copied.base,
                prefix: c.run.prefix(entry, gradients: gradients, first: c.position)))
        stage.accumulateWeightGradients(context, slot: slot.base, gradientSlot: gradientSlot.base)
        found.append(("grad.x", gradient.values()))
        for tensor in c.run.tensors(gradients, of: 0, at: c.position, isGradient: true) {
            found.append(("grad.state." + tensor.name, tensor.read()))
        }
        return found
    }
}
