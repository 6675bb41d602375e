import Hardware
import KernelInterface
import Numerics

/// Feed-forward network behind a norm (GECKO.md, NFFN; LLAMA.md; MEGA.md), the second half of a layer:
/// out = alpha * W2 (silu(W1 g) * W3 g) + residual, or W2 silu(W1 g + b1) + b2 + residual, g = norm(y).
package final class FeedForward {
    package struct Form: Sendable {
        let norm: FeatureNorm.Form
        /// Before the names of its own tensors.
        let prefix: String
        /// The names of W1, W3 (nil: silu(W1 g) alone) and W2.
        let first: String
        let gate: String?
        let last: String
        let dim, hidden: Int
        /// The names of b1 and b2; nil: there are none. Only without a gate and a scale.
        let biases: (first: String, last: String)?
        /// Of W1 and W3, and of W2.
        let initializers: (first: Initializer, last: Initializer)
        /// What the learned scale `alpha` of the output begins as; nil: there is none.
        let rescale: Float?
        let hiddenDropout, outputDropout: Dropout

        package init(
            norm: FeatureNorm.Form, prefix: String, names: (first: String, gate: String?, last: String), hidden: Int,
            initializers: (first: Initializer, last: Initializer), biases: (first: String, last: String)? = nil,
            rescale: Float? = nil,
            dropout: (hidden: Dropout, output: Dropout) = (.none, .none)
        ) {
            precondition(biases == nil || names.gate == nil && rescale == nil, "biases go with neither gate nor scale")
            self.norm = norm
            self.prefix = prefix
            self.biases = biases
            (first, gate, last) = names
            dim = norm.dim
            self.hidden = hidden
            self.initializers = initializers
            self.rescale = rescale
            (hiddenDropout, outputDropout) = dropout
        }

        /// Columns of the first product: W1 and W3 side by side.
        var wide: Int { gate == nil ? hidden : 2 * hidden }

        package var mapShapes: (first: LinearMap.Shape, last: LinearMap.Shape) {
            (LinearMap.Shape(outputs: wide, inputs: dim), LinearMap.Shape(outputs: dim, inputs: hidden))
        }

        package var parameters: [ParameterSpec] {
            var specs = norm.parameters
            specs.append(ParameterSpec(prefix + first, [hidden, dim], initializers.first, decays: true))
            if let biases { specs.append(ParameterSpec(prefix + biases.first, [hidden], .constant(0))) }
            if let gate {
                specs.append(
                    ParameterSpec(prefix + gate, [hidden, dim], initializers.first, decays: true, joinsPrevious: true))
            }
            specs.append(ParameterSpec(prefix + last, [dim, hidden], initializers.last, decays: true))
            if let biases { specs.append(ParameterSpec(prefix + biases.last, [dim], .constant(0))) }
            if let rescale { specs.append(ParameterSpec(prefix + "alpha", [dim], .constant(rescale))) }
            return specs
        }
    }

    package let form: Form
    private let norm: FeatureNorm
    private var tensors: BoundTensors?
    private let first: LinearMap
    private let last: LinearMap

    package init(_ form: Form) {
        self.form = form
        norm = FeatureNorm(form.norm)
        let shapes = form.mapShapes
        first = LinearMap(shapes.first)
        last = LinearMap(shapes.last)
    }

    package func bind(_ store: ParameterStore) {
        norm.bind(store)
        tensors = BoundTensors(store, prefix: form.prefix)
    }

    package func beginStep() { for map in [first, last] { map.beginStep() } }

    private func value(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.value(name) }
    private func gradient(_ name: String) -> UnsafeMutablePointer<Float> { tensors!.gradient(name) }
    private var rescales: Bool { form.rescale != nil }

    package struct Stash {
        let norm: FeatureNorm.Stash
        /// W1 g, beside W3 g where there is a gate [T, F or 2 F].
        let a: UnsafeMutablePointer<Float>
        /// W2 h before it is rescaled [T, D]; empty where it isn't.
        let o: UnsafeMutablePointer<Float>

        package init(_ carver: inout Carver, _ form: Form, length T: Int) {
            norm = .init(&carver, form.norm.kind, groups: form.norm.groups, length: T)
            a = carver.take(T * form.wide)
            o = carver.take(form.rescale == nil ? 0 : T * form.dim)
        }
    }

    package struct GradientStash {
        /// Of W2 h [T, D].
        let dout: UnsafeMutablePointer<Float>
        /// Of `a`, in its shape.
        let da: UnsafeMutablePointer<Float>

        package init(_ carver: inout Carver, _ form: Form, length T: Int) {
            dout = carver.take(T * form.dim)
            da = carver.take(T * form.wide)
        }
    }

    /// g and h are made again for the weight gradients.
    package struct Workspace {
        /// [T, D].
        let g, dg: UnsafeMutablePointer<Float>
        /// [T, F].
        let h, dh: UnsafeMutablePointer<Float>

        package init(_ carver: inout Carver, _ form: Form, length T: Int) {
            g = carver.take(T * form.dim)
            h = carver.take(T * form.hidden)
            dh = carver.take(T * form.hidden)
            dg = carver.take(T * form.dim)
        }
    }

    /// Where a backward finds its slice and leaves what the weight gradients take.
    package struct Memory {
        let stash: Stash
        let gradientStash: GradientStash
        let workspace: Workspace

        package init(stash: Stash, gradientStash: GradientStash, workspace: Workspace) {
            self.stash = stash
            self.gradientStash = gradientStash
            self.workspace = workspace
        }
    }

    /// y, residual, out [T, D].
    package func forward(
        _ context: SliceContext, y: UnsafePointer<Float>, residual: UnsafePointer<Float>,
        out: UnsafeMutablePointer<Float>, stash f: Stash, workspace w: Workspace
    ) {
        let team = context.team
        let kernels = context.kernels
        let (T, D, F) = (context.length, form.dim, form.hidden)
        norm.forward(context, y, to: w.g, f.norm)
        first.forward(context, value(form.first), FloatRows(w.g, stride: D), to: Destination(f.a, stride: form.wide))
        if let biases = form.biases { addBias(context, biases.first, to: f.a, columns: F) }
        activate(context, f, w)
        let direct = !rescales && !form.outputDropout.isActive(context)
        if direct { team.alone(as: .elementwise) { out.update(from: residual, count: T * D) } }
        let o = rescales ? f.o : out
        last.forward(
            context, value(form.last), FloatRows(w.h, stride: F), to: Destination(o, stride: D, adds: direct))
        if let biases = form.biases { addBias(context, biases.last, to: o, columns: D) }
        if direct { return }
        form.outputDropout.apply(context, o, o, D)
        team.alone(as: .elementwise) {
            if rescales {
                kernels.tokens.elementwise.multiplyRow(out, o, value("alpha"), Extent(rows: T, columns: D))
            }
            kernels.tokens.elementwise.addTo(out, residual, T * D)
        }
    }

    private func addBias(
        _ context: SliceContext, _ name: String, to x: UnsafeMutablePointer<Float>, columns: Int
    ) {
        let bias = value(name)
        context.team.share(context.length) { _, rows in
            let part = x + rows.lowerBound * columns
            context.kernels.tokens.elementwise.addRow(
                MutableFloatRows(part, stride: columns), FloatRows(part, stride: columns), bias,
                Extent(rows: rows.count, columns: columns))
        }
    }

    private func addBiasGradient(
        _ context: SliceContext, _ name: String, of dx: UnsafePointer<Float>, columns: Int
    ) {
        let gradient = gradient(name)
        context.team.share(columns, grain: 16) { _, part in
            let i = part.lowerBound
            context.kernels.tokens.elementwise.columnSums(
                FloatRows(dx + i, stride: columns), Extent(rows: context.length, columns: part.count), gradient + i)
        }
    }

    /// h = dropout(silu(W1 g) * W3 g), from both products side by side.
    private func activate(_ context: SliceContext, _ f: Stash, _ w: Workspace) {
        let (F, wide) = (form.hidden, form.wide)
        context.team.share(context.length) { _, rows in
            let t = rows.lowerBound
            if form.gate != nil {
                context.kernels.tokens.gating.swiglu(w.h + t * F, f.a + t * wide, Extent(rows: rows.count, columns: F))
            } else {
                context.kernels.tokens.gating.biasSilu(
                    BiasSiluArguments(
                        x: MutableFloatRows(f.a + t * wide, stride: wide), bias: nil,
                        y: MutableFloatRows(w.h + t * F, stride: F), extent: Extent(rows: rows.count, columns: F)))
            }
        }
        form.hiddenDropout.apply(context, w.h, w.h, F)
    }

    /// dout -> dy [T, D], through the norm only, added to dy when `add`; the residual's gradient is dout itself.
    package func backward(
        _ context: SliceContext, dout: UnsafePointer<Float>, dy: UnsafeMutablePointer<Float>, add: Bool,
        y: UnsafePointer<Float>, _ memory: Memory
    ) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        let team = context.team
        let kernels = context.kernels
        let (T, D, F, wide) = (context.length, form.dim, form.hidden, form.wide)
        if rescales {
            let dalpha = gradient("alpha")
            team.share(D, grain: 16) { _, columns in
                let i = columns.lowerBound
                kernels.tokens.elementwise.columnDots(
                    FloatRows(dout + i, stride: D), FloatRows(f.o + i, stride: D),
                    Extent(rows: T, columns: columns.count), dalpha + i)
            }
            team.alone(as: .elementwise) {
                kernels.tokens.elementwise.multiplyRow(g.dout, dout, value("alpha"), Extent(rows: T, columns: D))
            }
            form.outputDropout.apply(context, g.dout, g.dout, D)
        } else {
            form.outputDropout.apply(context, dout, g.dout, D)
        }
        last.backward(context, value(form.last), FloatRows(g.dout, stride: D), to: Destination(w.dh, stride: F))
        form.hiddenDropout.apply(context, w.dh, w.dh, F)
        team.share(T) { _, rows in
            let t = rows.lowerBound
            if form.gate != nil {
                kernels.tokens.gating.swigluBackward(
                    SwigluBackwardArguments(
                        da: g.da + t * wide, dh: w.dh + t * F, a: f.a + t * wide,
                        extent: Extent(rows: rows.count, columns: F)))
            } else {
                kernels.tokens.gating.siluBackward(
                    SiluBackwardArguments(
                        dx: MutableFloatRows(g.da + t * F, stride: F), dy: FloatRows(w.dh + t * F, stride: F),
                        x: FloatRows(f.a + t * F, stride: F), extent: Extent(rows: rows.count, columns: F)))
            }
        }
        if let biases = form.biases {
            addBiasGradient(context, biases.last, of: g.dout, columns: D)
            addBiasGradient(context, biases.first, of: g.da, columns: F)
        }
        first.backward(context, value(form.first), FloatRows(g.da, stride: wide), to: Destination(w.dg, stride: D))
        norm.backward(context, dy: w.dg, dx: dy, adds: add, x: y, f.norm)
    }

    package func accumulateWeightGradients(_ context: SliceContext, y: UnsafePointer<Float>, _ memory: Memory) {
        let (f, g, w) = (memory.stash, memory.gradientStash, memory.workspace)
        activate(context, f, w)
        last.accumulateWeightGradient(
            context, gradient(form.last), FloatRows(g.dout, stride: form.dim), FloatRows(w.h, stride: form.hidden))
        norm.forward(context, y, to: w.g, f.norm)
        first.accumulateWeightGradient(
            context, gradient(form.first), FloatRows(g.da, stride: form.wide), FloatRows(w.g, stride: form.dim))
    }
}
