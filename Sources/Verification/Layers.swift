import Hardware
import Kernels
import Model
import Numerics

/// Runs the golden cases of a whole layer.
struct Layers {
    let file: GoldenFile
    let team: Team

    func run(_ name: String, _ report: inout CaseReport) throws {
        let h = try file.object(name)
        guard let values = h.values["config"] as? [String: Any] else {
            throw VerificationError("\(file.name): '\(name)' has no object 'config'")
        }
        let packed = file.has("\(name).in.bos")
        var c = try GeckoConfiguration(Hyperparameters(file: file.name, key: name, values: values), packed: packed)
        c.layers = 1
        let shape = try file.shape("\(name).in.x")
        let (B, L, D) = (shape[0], shape[1], shape[2])
        let position = try h.int("position")
        let layer = GeckoLayer(c, layer: 0)
        let run = ModelRun(c, blocks: [layer], longest: L, team: team)
        let stage = run.stage
        let prefix = "\(name).in.param."
        for tensor in file.names where tensor.hasPrefix(prefix) {
            try run.load("layers.0." + tensor.dropFirst(prefix.count), try file.floats(tensor), file: file.name)
        }
        for entry in stage.store.entries {
            let tensor = prefix + entry.spec.name.dropFirst("layers.0.".count)
            if !file.has(tensor) { throw file.missing(tensor) }
        }
        let window = position - StreamCursor.windowStart(at: position, chunk: c.chunk)
        let stateNames = ["norm_mean", "norm_var", "cema_h", "sca_k", "awm_k", "v", "memory", "lognorm"]
        /// Writes one row of the golden state (`in` or `up`) into our layout.
        func fill(_ role: String, _ buffer: FloatBuffer, row b: Int) throws {
            let s = LayerState.at(stage.state(buffer.base, of: 0), c, window: stage.geometry.window)
            for n in stateNames {
                let v = try file.floats("\(name).\(role).state.\(n)").row(b, of: B)
                let target: UnsafeMutablePointer<Float>
                switch n {
                case "norm_mean": target = s.mean
                case "norm_var": target = s.variance
                case "sca_k": target = s.keys
                case "awm_k": target = s.memoryKeys
                case "v": target = s.values
                case "memory": target = s.memory
                case "lognorm": target = s.lognorm
                default:
                    for d in 0..<D {
                        for k in 0..<c.emaDim {
                            for part in 0..<2 {
                                s.ema[(part * c.emaDim + k) * c.paddedDim + d] = v[(d * c.emaDim + k) * 2 + part]
                            }
                        }
                    }
                    continue
                }
                target.update(from: v, count: v.count)
            }
        }
        var found: [String: [Float]] = [:]
        var counts: [Int32] = []
        stage.beginStep()
        for b in 0..<B {
            func optional(_ n: String, _ other: [Int32]) throws -> [Int32] {
                file.has("\(name).in.\(n)") ? try file.ints("\(name).in.\(n)").row(b, of: B) : other
            }
            let cursor = StreamCursor(
                position: position, count: Int(try file.ints("\(name).in.norm_count")[b]),
                windowDocuments: try optional("window_segments", [Int32](repeating: 0, count: window)),
                memoryDocument: try optional("memory_segment", [-1])[0],
                lastDocument: try optional("last_segment", [0])[0])
            let plan = run.plan(
                cursor, length: L, bos: packed ? try file.flags("\(name).in.bos").row(b, of: B) : nil)
            let (entry, exit) = (FloatBuffer(stage.stateCount), FloatBuffer(stage.stateCount))
            try fill("in", entry, row: b)
            let slot = FloatBuffer(stage.slotCount)
            let y = FloatBuffer(stage.geometry.length * D)
            stage.input(slot.base).update(from: try file.floats("\(name).in.x").row(b, of: B), count: L * D)
            let context = stage.context(plan: plan, tokens: nil, targets: nil, lossScale: 0, dropout: nil)
            stage.forward(context, slot: slot.base, entry: entry.base, exit: exit.base, output: y.base)
            found["out.y", default: []] += y.values(L * D)
            let middle = layer.middle(stash: stage.stash(slot.base, of: 0))
            found["out.mid", default: []] += Array(UnsafeBufferPointer(start: middle, count: L * D))
            for (n, values) in run.named(exit, at: position + L) {
                found["out.state." + n.dropFirst("layers.0.".count), default: []] += values
            }
            counts.append(Int32(plan.exit.count))
            let stateGradient = FloatBuffer(stage.stateCount)
            try fill("up", stateGradient, row: b)
            let gradient = FloatBuffer(try file.floats("\(name).up.y").row(b, of: B))
            let gradientSlot = FloatBuffer(stage.gradientSlotCount)
            stage.backward(
                context, slot: slot.base, gradientSlot: gradientSlot.base, gradient: gradient.base,
                stateGradient: stateGradient.base)
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
        try file.requireComplete(case: name, compared: report.compared)
    }
}
