import Checkpoints
import Files
import Model
import Pipeline
import Locks

/// A checkpoint's tensors by name, whatever files they are in. Files are opened in their order as they are needed.
final class CheckpointSource: StateSource, Sendable {
    private let paths: [String]
    private let opened = Lock<[SafetensorsFile]>([])

    /// - Parameter paths: verified files
    init(_ paths: [String]) { self.paths = paths }

    private func file(with tensor: String) throws -> SafetensorsFile {
        try opened.withLock { opened in
            var next = 0
            while true {
                if next == opened.count {
                    guard next < paths.count else {
                        throw ModelFileError(
                            """
                            tensor '\(tensor)' is in none of the checkpoint's files here: \
                            \(paths.joined(separator: ", "))
                            """
                        )
                    }
                    opened.append(try SafetensorsFile(paths[next]))
                }
                if opened[next].contains(tensor) { return opened[next] }
                next += 1
            }
        }
    }

    func withTensor(_ name: String, shape: [Int], _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let file = try file(with: name)
        try file.requireFloats(name, shape: shape)
        try file.withBytes(name, body)
    }

    func cursor(stream: Int, _ form: CursorForm) throws -> StreamCursor {
        let name = StateName.cursor(stream: stream)
        let fields = try file(with: name).int64s(name)
        let list = try form.list.map { own -> [Int32] in
            let name = StateName.list(own, stream: stream)
            return try file(with: name).int32s(name)
        }
        guard fields.count == 1 + form.start.numbers.count,
            fields.allSatisfy({ Int32(exactly: $0) != nil || $0 >= 0 })
        else {
            throw ModelFileError(
                "\(try file(with: name).path): '\(name)' is no stream's position: \(fields); this model needs "
                    + "\(1 + form.start.numbers.count) numbers")
        }
        return StreamCursor(
            position: Int(fields[0]), numbers: fields.dropFirst().map { Int($0) }, list: list ?? [])
    }
}

extension SafetensorsFile {
    /// - Throws: `ModelFileError` unless the tensor is float32 of this shape.
    func requireFloats(_ name: String, shape: [Int]) throws {
        let entry = try entry(name)
        guard entry.type == .float32, entry.shape == shape else {
            throw ModelFileError(
                "\(path): tensor '\(name)' is \(entry.type) \(entry.shape); this model needs float32 \(shape)")
        }
    }
}
