import Files
import JSON

/// Writes a safetensors file tensor by tensor, in any order, without holding the data: all entries are declared first,
/// which fixes the header. The file appears under its name only after `finish()`.
///
/// In the buffer wider element types come first, so that every tensor is aligned to its element.
package final class SafetensorsWriter {
    /// What a tensor to be written is.
    package struct Declaration: Sendable {
        package let name: String
        package let type: TensorType
        package let shape: [Int]

        package init(_ name: String, _ type: TensorType, _ shape: [Int]) {
            self.name = name
            self.type = type
            self.shape = shape
        }
    }

    package let path: String
    private let file: AtomicFile
    private let bufferStart: Int
    private let entries: [String: TensorEntry]
    private var pending: Set<String>

    /// - Parameter metadata: written in the order of its keys, so that equal contents give equal files.
    /// - Parameter watch: called on the way (`FileMoment`); an error that it throws ends the file.
    package init(
        _ path: String, _ declarations: [Declaration], metadata: [String: String] = [:],
        watch: ((FileMoment) throws -> Void)? = nil
    ) throws {
        self.path = path
        let layout = try Self.layout(declarations, file: path)
        let header = Self.header(layout, metadata: metadata)
        guard header.count <= SafetensorsHeader.lengthLimit else {
            throw SafetensorsError(
                file: path,
                reason: "the header takes \(header.count) bytes, over the limit of \(SafetensorsHeader.lengthLimit)")
        }
        entries = Dictionary(uniqueKeysWithValues: layout.map { ($0.name, $0) })
        pending = Set(layout.map(\.name))
        bufferStart = 8 + header.count
        file = try AtomicFile(path, expectedSize: bufferStart + (layout.last?.range.upperBound ?? 0), watch: watch)
        try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try file.write($0, at: 0) }
        try header.withUnsafeBytes { try file.write($0, at: 8) }
    }

    /// Writes a declared tensor's bytes: little-endian, C order.
    package func write(_ name: String, _ bytes: UnsafeRawBufferPointer) throws {
        guard let entry = entries[name] else {
            throw SafetensorsError(file: path, tensor: name, reason: "it was not declared")
        }
        guard bytes.count == entry.range.count else {
            throw SafetensorsError(
                file: path, tensor: name,
                reason: "declared \(entry.type.rawValue) \(entry.shape) of \(entry.range.count) bytes, "
                    + "found \(bytes.count) bytes")
        }
        guard pending.remove(name) != nil else {
            throw SafetensorsError(file: path, tensor: name, reason: "it was already written")
        }
        try file.write(bytes, at: bufferStart + entry.range.lowerBound)
    }

    package func write(_ name: String, _ elements: [Float]) throws {
        try checkType(name, .float32)
        try elements.withUnsafeBytes { try write(name, $0) }
    }

    package func write(_ name: String, _ elements: [Int32]) throws {
        try checkType(name, .int32)
        try elements.withUnsafeBytes { try write(name, $0) }
    }

    /// Syncs the file to disk and gives it its name.
    /// - Returns: its size and its SHA-256; the latter only if the tensors came in the order of the file.
    /// - Throws: `SafetensorsError` if a declared tensor was not written.
    @discardableResult
    package func finish() throws -> (size: Int, sha256: String?) {
        if let missing = pending.min() {
            throw SafetensorsError(
                file: path, tensor: missing, reason: "declared but not written (\(pending.count) such tensors)")
        }
        return try file.commit()
    }

    private func checkType(_ name: String, _ type: TensorType) throws {
        if let declared = entries[name]?.type, declared != type {
            throw SafetensorsError(
                file: path, tensor: name, reason: "declared \(declared.rawValue), given \(type.rawValue)")
        }
    }

    private static func layout(_ declarations: [Declaration], file: String) throws -> [TensorEntry] {
        var offset = 0
        var names: Set<String> = []
        let ordered = declarations.enumerated().sorted {
            ($1.element.type.size, $0.offset) < ($0.element.type.size, $1.offset)
        }
        return try ordered.map(\.element).map { declaration in
            func fault(_ reason: String) -> SafetensorsError {
                SafetensorsError(file: file, tensor: declaration.name, reason: reason)
            }
            guard declaration.name != SafetensorsHeader.metadataKey else { throw fault("this name is reserved") }
            guard names.insert(declaration.name).inserted else { throw fault("declared twice") }
            guard let bytes = TensorEntry.byteCount(type: declaration.type, shape: declaration.shape) else {
                throw fault("shape \(declaration.shape) is negative or too large")
            }
            let (end, overflow) = offset.addingReportingOverflow(bytes)
            guard !overflow else { throw fault("the file would be too large") }
            defer { offset = end }
            return TensorEntry(
                name: declaration.name, type: declaration.type, shape: declaration.shape, range: offset..<end)
        }
    }

    /// The header's JSON, padded with spaces to a multiple of 8 bytes.
    private static func header(_ entries: [TensorEntry], metadata: [String: String]) -> [UInt8] {
        var members = entries.map { entry in
            let shape = entry.shape.map(String.init).joined(separator: ",")
            return JSONText.quoted(entry.name) + ":{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],"
                + "\"data_offsets\":[\(entry.range.lowerBound),\(entry.range.upperBound)]}"
        }
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }
                .map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
            members.insert("\"\(SafetensorsHeader.metadataKey)\":{\(pairs.joined(separator: ","))}", at: 0)
        }
        var bytes = Array("{\(members.joined(separator: ","))}".utf8)
        while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
        return bytes
    }
}
