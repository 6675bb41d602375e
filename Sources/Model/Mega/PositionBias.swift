import Numerics

/// The learned bias of each distance t between a query and a key before it (MEGA.md). Rotary: of two
/// vectors alpha, beta [Z] in pairs (j, j + Z/2), which rotate against each other,
///
///     b_t = sum_j u_j cos(t f_j) - w_j sin(t f_j)   u = a1 b1 + a2 b2   w = a2 b1 - a1 b2   f_j = 10000^(-2j/Z)
///
/// simple: b_t = table[M - 1 - t], of whose 2 M - 1 entries a causal model reads the first M.
final class PositionBias {
    /// The parameters' shape.
    struct Form {
        let kind: MegaConfiguration.PositionBiasKind
        /// Z, and M.
        let features, distances: Int
        /// Before the names of its tensors.
        let prefix: String

        var parameters: [ParameterSpec] {
            switch kind {
            case .rotary:
                ["alpha", "beta"].map { ParameterSpec(prefix + $0, [features], .normal(0.02)) }
            case .simple:
                [ParameterSpec(prefix + "rel_pos_bias", [2 * distances - 1], .normal(0.02))]
            }
        }
    }

    private let form: Form
    private var tensors: BoundTensors?
    private let rotary: RotaryTable
    /// Angles of a block of distances.
    private var angles = RotaryTable.Values()
    /// u and w, or their gradients [Z/2].
    private var u: [Double], w: [Double]
    /// The biases from the farthest distance to 0, and their gradients, summed over a step.
    private var values = FloatBuffer(0)
    private var gradients = FloatBuffer(0)
    /// Distances that the buffers hold.
    private var count = 0

    init(_ form: Form) {
        self.form = form
        rotary = RotaryTable(keyDim: form.kind == .rotary ? form.features : 0, base: 10_000)
        u = [Double](repeating: 0, count: form.features / 2)
        w = u
    }

    func bind(_ store: ParameterStore) { tensors = BoundTensors(store, prefix: form.prefix) }

    private var half: Int { form.features / 2 }
    private var trains: Bool { tensors?.trains ?? false }

    /// Where the bias of distance 0 is; that of distance t lies t places before it.
    var value: UnsafePointer<Float> { UnsafePointer(values.base + count - 1) }
    /// The same for its gradient.
    var gradient: UnsafeMutablePointer<Float> { gradients.base + count - 1 }

    /// Call when parameters may have changed: computes the biases again, and forgets their gradients.
    func prepare() {
        gradients.clear()
        if count > 0 { computeValues() }
    }

    /// Makes sure that there are biases of the distances below `distances`. Where attention sees everything, the first
    /// long sequence makes room.
    func reach(_ distances: Int) {
        if distances <= count { return }
        precondition(
            form.kind == .rotary || distances <= form.distances,
            "model.max_positions = \(form.distances) knows no distance of \(distances - 1): it must be at least the "
                + "longest sequence")
        let room = form.kind == .simple ? form.distances : max(distances, 2 * count, Self.block)
        let grown = FloatBuffer(trains ? room : 0)
        if trains { (grown.base + room - count).update(from: gradients.base, count: count) }
        gradients = grown
        values = FloatBuffer(room)
        count = room
        computeValues()
    }

    private func computeValues() {
        guard let tensors else { preconditionFailure("\(form.prefix) isn't bound yet") }
        guard form.kind == .rotary else {
            values.base.update(from: tensors.value("rel_pos_bias"), count: count)
            return
        }
        let (a, b) = (tensors.value("alpha"), tensors.value("beta"))
        for j in 0..<half {
            let (a1, a2) = (Double(a[j]), Double(a[j + half]))
            let (b1, b2) = (Double(b[j]), Double(b[j + half]))
            u[j] = a1 * b1 + a2 * b2
            w[j] = a2 * b1 - a1 * b2
        }
        eachDistance { t, cosines, sines in
            var sum = 0.0
            for j in 0..<half { sum += u[j] * Double(cosines[2 * j]) - w[j] * Double(sines[2 * j + 1]) }
            values.base[count - 1 - t] = Float(sum)
        }
    }

    /// Distances whose angles are made at a time: always as many, so that memory is taken once.
    private static let block = 64

    /// Visits each distance in order with its cosines and signed sines, each angle twice.
    private func eachDistance(_ body: (Int, UnsafePointer<Float>, UnsafePointer<Float>) -> Void) {
        for first in stride(from: 0, to: count, by: Self.block) {
            rotary.fill(start: first, length: Self.block, &angles)
            angles.cosines.withUnsafeBufferPointer { cosines in
                angles.sines.withUnsafeBufferPointer { sines in
                    for t in first..<min(first + Self.block, count) {
                        let place = (t - first) * form.features
                        body(t, cosines.baseAddress! + place, sines.baseAddress! + place)
                    }
                }
            }
        }
    }

    /// Adds the parameters' gradients from those of the biases: U = sum db cos, W = - sum db sin.
    func addParameterGradients() {
        guard let tensors, trains, count > 0 else { return }
        guard form.kind == .rotary else {
            let table = tensors.gradient("rel_pos_bias")
            for i in 0..<count { table[i] += gradients.base[i] }
            return
        }
        for j in 0..<half { (u[j], w[j]) = (0, 0) }
        eachDistance { t, cosines, sines in
            let db = Double(gradients.base[count - 1 - t])
            for j in 0..<half {
                u[j] += db * Double(cosines[2 * j])
                w[j] -= db * Double(sines[2 * j + 1])
            }
        }
        let (a, b) = (tensors.value("alpha"), tensors.value("beta"))
        let (da, db) = (tensors.gradient("alpha"), tensors.gradient("beta"))
        for j in 0..<half {
            let (a1, a2) = (Double(a[j]), Double(a[j + half]))
            let (b1, b2) = (Double(b[j]), Double(b[j + half]))
            da[j] += Float(u[j] * b1 - w[j] * b2)
            da[j + half] += Float(u[j] * b2 + w[j] * b1)
            db[j] += Float(u[j] * a1 + w[j] * a2)
            db[j + half] += Float(u[j] * a2 - w[j] * a1)
        }
    }

    /// The biases of the first distances, in order; and a gradient of theirs to go back from.
    func biases(_ distances: Int) -> [Float] { (0..<distances).map { value[-$0] } }
    func addGradients(_ upstream: [Float]) {
        for (t, value) in upstream.enumerated() { gradient[-t] += value }
    }
}
