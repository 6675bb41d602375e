import Kernels

/// Guarded memory for one call of a kernel: around and between the rows of every tensor lie NaNs, so that a kernel that
/// reads outside a tensor gives NaN and one that writes outside is seen. Outputs begin as another NaN unless they have
/// first values.
final class KernelMemory {
    private struct Tensor {
        let name: String?
        let rows, cols, ld: Int
        let memory: UnsafeMutableBufferPointer<Float>
        let initial: [UInt32]
    }

    private static let guardBits: UInt32 = 0x7fc0_1234
    private static let unwritten = Float(bitPattern: 0x7fc0_0bad)
    private static let margin = 40

    private var tensors: [Tensor] = []
    private var doubles: [(name: String, memory: UnsafeMutableBufferPointer<Double>)] = []
    private var others: [UnsafeMutableRawPointer] = []

    deinit {
        for tensor in tensors { tensor.memory.deallocate() }
        for (_, memory) in doubles { memory.deallocate() }
        for memory in others { memory.deallocate() }
    }

    private func tensor(_ name: String?, _ values: [Float], cols: Int, ld: Int) -> UnsafeMutablePointer<Float> {
        precondition(cols > 0 && ld >= cols && values.count % cols == 0, "values must fill whole rows")
        let rows = values.count / cols
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 2 * Self.margin + rows * ld)
        memory.initialize(repeating: Float(bitPattern: Self.guardBits))
        for t in 0..<rows {
            for i in 0..<cols { memory[Self.margin + t * ld + i] = values[t * cols + i] }
        }
        tensors.append(
            Tensor(name: name, rows: rows, cols: cols, ld: ld, memory: memory, initial: memory.map(\.bitPattern)))
        return memory.baseAddress! + Self.margin
    }

    /// A tensor that the kernel may only read; one row unless `cols` is given.
    func input(_ values: [Float], cols: Int? = nil, ld: Int? = nil) -> UnsafePointer<Float> {
        let cols = cols ?? max(1, values.count)
        return UnsafePointer(tensor(nil, values, cols: cols, ld: ld ?? cols))
    }

    /// The same with rows `stride` apart.
    func input(_ values: [Float], cols: Int, stride: Int) -> FloatRows {
        FloatRows(input(values, cols: cols, ld: stride), stride: stride)
    }

    /// A tensor [rows, cols] that the kernel must write in full.
    func output(_ name: String, rows: Int, cols: Int, ld: Int? = nil) -> UnsafeMutablePointer<Float> {
        tensor(name, [Float](repeating: Self.unwritten, count: rows * cols), cols: cols, ld: ld ?? cols)
    }

    func output(_ name: String, rows: Int, cols: Int, stride: Int) -> MutableFloatRows {
        MutableFloatRows(output(name, rows: rows, cols: cols, ld: stride), stride: stride)
    }

    /// A tensor that the kernel changes.
    func output(_ name: String, from values: [Float], cols: Int? = nil, ld: Int? = nil) -> UnsafeMutablePointer<Float> {
        let cols = cols ?? max(1, values.count)
        return tensor(name, values, cols: cols, ld: ld ?? cols)
    }

    func output(_ name: String, from values: [Float], cols: Int, stride: Int) -> MutableFloatRows {
        MutableFloatRows(output(name, from: values, cols: cols, ld: stride), stride: stride)
    }

    func output(_ name: String, doubles count: Int) -> UnsafeMutablePointer<Double> {
        let memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: max(1, count))
        memory.initialize(repeating: .nan)
        doubles.append((name, UnsafeMutableBufferPointer(start: memory.baseAddress, count: count)))
        return memory.baseAddress!
    }

    /// Memory whose contents don't matter, before or after.
    func scratch(_ count: Int) -> UnsafeMutablePointer<Float> {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: count)
        memory.initialize(repeating: Self.unwritten, count: count)
        others.append(UnsafeMutableRawPointer(memory))
        return memory
    }

    func integers<Element>(_ values: [Element]) -> UnsafePointer<Element> where Element: FixedWidthInteger {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, values.count))
        memory.initialize(from: values, count: values.count)
        others.append(UnsafeMutableRawPointer(memory))
        return UnsafePointer(memory)
    }

    /// What the outputs hold now, in the order in which they were asked for.
    var results: [(name: String, values: [Double])] {
        tensors.compactMap { tensor in
            tensor.name.map { name in
                (
                    name,
                    (0..<tensor.rows * tensor.cols).map {
                        Double(tensor.memory[Self.margin + $0 / tensor.cols * tensor.ld + $0 % tensor.cols])
                    }
                )
            }
        } + doubles.map { ($0.name, Array($0.memory)) }
    }

    /// Where something was written that must not have been.
    var violations: [String] {
        tensors.flatMap { tensor in
            tensor.memory.indices.compactMap { i in
                let place = i - Self.margin
                let isInside =
                    place >= 0 && place < tensor.rows * tensor.ld && place % tensor.ld < tensor.cols
                if isInside && tensor.name != nil { return nil }
                if tensor.memory[i].bitPattern == tensor.initial[i] { return nil }
                return "\(tensor.name ?? "an input") was written at \(place), \(isInside ? "a constant" : "outside it")"
            }
        }
    }
}
