import Hardware
import Kernels
import Numerics

/// Runs the golden cases of a whole layer.
struct Layers {
    let file: any GoldenSource
    let matrices: any MatrixProducts

    func run(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        guard case .object(let values)? = h.values["config"] else {
            throw VerificationError("\(file.name): '\(name)' has no object 'config'")
        }
        let packed = file.has("\(name).in.bos")
        var c = try GeckoConfiguration(Hyperparameters(file: file.name, key: name, values: values), packed: packed)
        c.layers = 1
        let shape = try file.shape("\(name).in.x", axes: 3)
        let (B, L, D) = (shape[0], shape[1], shape[2])
        let position = try h.int("position")
        guard D == c.dim, position >= 0 else {
            throw VerificationError(
                "\(file.name): '\(name)' has \(D) features at position \(position); its configuration says \(c.dim)")
        }
        let run = ModelRun(c, parts: [.layer(0)], longest: L, matrices)
        let stage = run.stage
        guard let layer = stage.blocks[0] as? GeckoLayer else { preconditionFailure("a Gecko's layer is a GeckoLayer") }
        let prefix = "\(name).in.param."
        for tensor in file.names where tensor.hasPrefix(prefix) {
            try run.load("layers.0." + tensor.dropFirst(prefix.count), try file.floats(tensor), file: file.name)
        }
        for entry in stage.store.entries {
            let tensor = prefix + entry.spec.name.dropFirst("layers.0.".count)
            if !file.has(tensor) { throw file.missing(tensor) }
        }
        let window = position - StreamCursor.windowStart(at: position, chunk: c.chunk)
        /// Writes one row of the golden state (`in` or `up`) into our layout; its window holds `window` tokens.
        func fill(_ role: String, _ buffer: FloatBuffer, row b: Int, window: Int) throws {
            let s = LayerState.at(stage.state(buffer.base, of: 0), c, window: run.window)
            func values(_ n: String, _ count: Int) throws -> [Float] {
                try file.floats("\(name).\(role).state.\(n)", count: B * count).row(b, of: B)
            }
            for (n, target, count) in [
                ("norm_mean", s.mean, c.normGroups), ("norm_var", s.variance, c.normGroups),
                ("sca_k", s.keys, window * c.zDim), ("awm_k", s.memoryKeys, window * c.zDim),
                ("v", s.values, window * c.valueDim), ("memory", s.memory, c.zDim * c.headValueDim),
                ("lognorm", s.lognorm, c.zDim),
            ] {
                target.update(from: try values(n, count), count: count)
            }
            let h = try values("cema_h", 2 * D * c.emaDim)
            for d in 0..<D {
                for k in 0..<c.emaDim {
                    for part in 0..<2 {
                        s.ema[(part * c.emaDim + k) * c.paddedDim + d] = h[(d * c.emaDim + k) * 2 + part]
                    }
                }
            }
        }
        var found: [String: [Float]] = [:]
        var counts: [Int32] = []
        stage.beginStep()
        for b in 0..<B {
            // Documents are told apart where there are flags for their first tokens; then their numbers must be there,
            // too.
            func document(_ n: String, or other: [Int32]) throws -> [Int32] {
                packed ? try file.ints("\(name).in.\(n)", count: B * other.count).row(b, of: B) : other
            }
            let cursor = StreamCursor(
                position: position, count: Int(try file.ints("\(name).in.norm_count", count: B)[b]),
                windowDocuments: try document("window_segments", or: [Int32](repeating: 0, count: window)),
                memoryDocument: try document("memory_segment", or: [-1])[0],
                lastDocument: try document("last_segment", or: [0])[0])
            let plan = run.plan(
                cursor, length: L, bos: packed ? try file.flags("\(name).in.bos", count: B * L).row(b, of: B) : nil)
            let (entry, exit) = (FloatBuffer(stage.stateCount), FloatBuffer(stage.stateCount))
            try fill("in", entry, row: b, window: window)
            let slot = FloatBuffer(stage.slotCount)
            let y = FloatBuffer(stage.shape.length * D)
            stage.input(slot.base).update(
                from: try file.floats("\(name).in.x", count: B * L * D).row(b, of: B), count: L * D)
            let context = stage.context(slice: GeckoSlice(plan), tokens: nil, targets: nil, lossScale: 0, dropout: nil)
            stage.forward(context, slot: slot.base, entry: entry.base, exit: exit.base, output: y.base)
            found["out.y", default: []] += y.values(L * D)
            let middle = layer.middle(stash: stage.stash(slot.base, of: 0))
            found["out.mid", default: []] += Array(UnsafeBufferPointer(start: middle, count: L * D))
            for (n, values) in run.named(exit, at: position + L) {
                found["out.state." + n.dropFirst("layers.0.".count), default: []] += values
            }
            counts.append(Int32(plan.exit.count))
            let stateGradient = FloatBuffer(stage.stateCount)
            try fill("up", stateGradient, row: b, window: plan.newWindow)
            let gradient = FloatBuffer(try file.floats("\(name).up.y", count: B * L * D).row(b, of: B))
            let gradientSlot = FloatBuffer(stage.gradientSlotCount)
            stage.backward(
                context,
                .init(
                    slot: slot.base, gradientSlot: gradientSlot.base, gradient: gradient.base,
                    stateGradient: stateGradient.base))
            stage.accumulateWeightGradients(context, slot: slot.base, gradientSlot: gradientSlot.base)
            found["grad.x", default: []] += gradient.values()
            for (n, values) in run.named(stateGradient, at: position) {
                found["grad.state." + n.dropFirst("layers.0.".count), default: []] += values
            }
        }
        stage.endStep()
        for tensor in file.names where tensor.hasPrefix("\(name).") {
            let n = String(tensor.dropFirst(name.count + 1))
            if n.hasPrefix("grad.param.") {
                report.compare(
                    n, stage.store.gradientValues("layers.0." + n.dropFirst("grad.param.".count)),
                    try file.floats(tensor), tolerance: Tolerance.gradient)
            } else if let values = found[n] {
                report.compare(
                    n, values, try file.floats(tensor),
                    tolerance: n.hasPrefix("out") ? Tolerance.output : Tolerance.gradient)
            }
        }
        report.require("out.norm_count", counts, try file.ints("\(name).out.norm_count"))
        for output in found.keys.sorted() where output.hasPrefix("out.") && !file.has("\(name).\(output)") {
            throw file.missing("\(name).\(output)")
        }
        try file.requireComplete(case: name, compared: report.compared)
    }
}
