import Kernels
import TestSupport

extension KernelCases {
    static let elementwise: [KernelCase] =
        widths.map(addTo) + shapes { addRow($0, $1) } + shapes { multiplyRow($0, $1) }
        + shapes { columnSums($0, $1) } + shapes { columnDots($0, $1) }

    private static func addTo(_ n: Int) -> KernelCase {
        var noise = Noise(1)
        let (y, x) = (noise.floats(n), noise.floats(n))
        return KernelCase("addTo", "\(n)") { kernels, memory in
            kernels.tokens.elementwise.addTo(memory.output("y", from: y), memory.input(x), n)
        } expected: {
            ["y": (0..<n).map { Double(y[$0]) + Double(x[$0]) }]
        }
    }

    private static func addRow(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(3)
        let (x, b) = (noise.floats(rows * cols), noise.floats(cols))
        return KernelCase("addRow", "\(rows) x \(cols)") { kernels, memory in
            kernels.tokens.elementwise.addRow(
                memory.output("y", rows: rows, cols: cols, stride: cols + 3),
                memory.input(x, cols: cols, stride: cols + 2), memory.input(b), Extent(rows: rows, columns: cols))
        } expected: {
            ["y": x.indices.map { Double(x[$0]) + Double(b[$0 % cols]) }]
        }
    }

    private static func multiplyRow(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(4)
        let (x, w) = (noise.floats(rows * cols), noise.floats(cols))
        return KernelCase("multiplyRow", "\(rows) x \(cols)") { kernels, memory in
            kernels.tokens.elementwise.multiplyRow(
                memory.output("y", rows: rows, cols: cols), memory.input(x, cols: cols), memory.input(w),
                Extent(rows: rows, columns: cols))
        } expected: {
            ["y": x.indices.map { Double(x[$0]) * Double(w[$0 % cols]) }]
        }
    }

    private static func columnSums(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(6)
        let (x, out) = (noise.floats(rows * cols), noise.floats(cols))
        return KernelCase("columnSums", "\(rows) x \(cols)") { kernels, memory in
            kernels.tokens.elementwise.columnSums(
                memory.input(x, cols: cols, stride: cols + 3), Extent(rows: rows, columns: cols),
                memory.output("out", from: out))
        } expected: {
            ["out": (0..<cols).map { i in (0..<rows).reduce(Double(out[i])) { $0 + Double(x[$1 * cols + i]) } }]
        }
    }

    private static func columnDots(_ rows: Int, _ cols: Int) -> KernelCase {
        var noise = Noise(7)
        let (x, y, out) = (noise.floats(rows * cols), noise.floats(rows * cols), noise.floats(cols))
        return KernelCase("columnDots", "\(rows) x \(cols)") { kernels, memory in
            kernels.tokens.elementwise.columnDots(
                memory.input(x, cols: cols, stride: cols + 3), memory.input(y, cols: cols, stride: cols + 2),
                Extent(rows: rows, columns: cols), memory.output("out", from: out))
        } expected: {
            [
                "out": (0..<cols).map { i in
                    (0..<rows).reduce(Double(out[i])) { $0 + Double(x[$1 * cols + i]) * Double(y[$1 * cols + i]) }
                }
            ]
        }
    }
}
