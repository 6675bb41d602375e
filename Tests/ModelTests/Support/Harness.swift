import Hardware
import Kernels
import Model
import Numerics

extension FloatBuffer {
    convenience init(_ values: [Float]) {
        self.init(values.count)
        base.update(from: values, count: values.count)
    }

    var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

/// A context for one component on the calling thread.
func context(_ plan: SlicePlan, workspace: FloatBuffer = FloatBuffer(0)) -> SliceContext {
    SliceContext(matrices: TileProducts(Team()), plan: plan, workspace: workspace.base)
}

/// Memory that a component lays out for itself, and the layout.
func laidOut<Part>(_ make: (inout Carver) -> Part) -> (memory: FloatBuffer, part: Part) {
    var counting = Carver(counting: ())
    _ = make(&counting)
    let memory = FloatBuffer(counting.used)
    var carver = Carver(memory.base)
    return (memory, make(&carver))
}

/// Arguments of a function that is differentiated in each of them.
typealias Arguments = [String: [Double]]

enum Tolerance {
    static let output = 1e-6
    static let gradient = 1e-5
}
