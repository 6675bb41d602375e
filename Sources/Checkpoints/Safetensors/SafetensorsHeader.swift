import JSON

/// The parsed and checked header of a safetensors file: little-endian u64 N, then N bytes of JSON that begin with `{`
/// and may be padded with spaces, then the buffer. Every byte of the buffer belongs to exactly one tensor.
struct SafetensorsHeader: Sendable, Equatable {
    /// In the order of the file's header.
    let entries: [TensorEntry]
    let metadata: [String: String]
    /// Offset of the buffer from the beginning of the file.
    let bufferStart: Int

    static let lengthLimit = 100_000_000
    static let metadataKey = "__metadata__"

    /// - Parameter bytes: the whole file.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        func fault(_ reason: String) -> SafetensorsError { SafetensorsError(file: file, reason: reason) }
        guard bytes.count >= 8 else {
            throw fault("expected at least 8 bytes of header length, found \(bytes.count) bytes in all")
        }
        let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard declared <= UInt64(Self.lengthLimit) else {
            throw fault(
                bytes.count > 8 && bytes[8] != UInt8(ascii: "{")
                    ? "this is not a safetensors file, which begins with eight bytes of length and an object of JSON"
                    : "header length \(declared) is over the format's limit of \(Self.lengthLimit) bytes")
        }
        let length = Int(declared)
        guard length <= bytes.count - 8 else {
            throw fault("header length \(length), but only \(bytes.count - 8) bytes follow it: the file is cut off")
        }
        let header = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + length])
        guard header.first == UInt8(ascii: "{") else {
            throw fault("the header must begin with '{': this is not a safetensors file")
        }
        let json = UnsafeRawBufferPointer(rebasing: header[..<Self.unpadded(header)])
        guard json.last == UInt8(ascii: "}") else {
            throw fault("the header must end with '}' and be padded with nothing but spaces")
        }
        let root: JSONNode
        do {
            root = try JSONParser.parse(json)
        } catch let error as JSONError {
            throw fault("the header is not valid JSON: at byte \(error.offset + 8) of the file, \(error.reason)")
        }
        guard case .object(let members) = root.value else { throw fault("the header must be a JSON object") }

        var metadata: [String: String] = [:]
        var entries: [TensorEntry] = []
        entries.reserveCapacity(members.count)
        for member in members {
            if member.key == Self.metadataKey {
                metadata = try Self.metadata(member.value, file: file)
            } else {
                entries.append(try Self.entry(member, file: file))
            }
        }
        try Self.checkCoverage(entries, bufferSize: bytes.count - 8 - length, file: file)
        self.entries = entries
        self.metadata = metadata
        bufferStart = 8 + length
    }

    /// Length of the header without its padding, which is of spaces only.
    private static func unpadded(_ header: UnsafeRawBufferPointer) -> Int {
        var end = header.count
        while end > 0, header[end - 1] == 0x20 { end -= 1 }
        return end
    }

    private static func metadata(_ value: JSONValue, file: String) throws -> [String: String] {
        guard case .object(let members) = value else {
            throw SafetensorsError(file: file, reason: "\(metadataKey) must be an object, found \(value.summary)")
        }
        var metadata: [String: String] = [:]
        for member in members {
            guard case .string(let text) = member.value else {
                throw SafetensorsError(
                    file: file,
                    reason: "\(metadataKey) maps strings to strings; \"\(member.key)\" is \(member.value.summary)")
            }
            metadata[member.key] = text
        }
        return metadata
    }

    private static func entry(_ member: JSONValue.Member, file: String) throws -> TensorEntry {
        func fault(_ reason: String) -> SafetensorsError {
            SafetensorsError(file: file, tensor: member.key, reason: reason)
        }
        guard case .object(let fields) = member.value else {
            throw fault("expected an object with dtype, shape and data_offsets, found \(member.value.summary)")
        }
        var type: TensorType?
        var shape: [Int]?
        var offsets: [Int]?
        for field in fields {
            switch (field.key, field.value) {
            case ("dtype", .string(let name)):
                guard let known = TensorType(rawValue: name) else {
                    let names = TensorType.allCases.map(\.rawValue).joined(separator: ", ")
                    throw fault("unknown dtype \"\(name)\"; known are \(names)")
                }
                type = known
            case ("dtype", let other): throw fault("dtype must be a string, found \(other.summary)")
            case ("shape", let value):
                guard let extents = naturals(value) else {
                    throw fault("shape must be an array of integers of at least 0, found \(value.summary)")
                }
                shape = extents
            case ("data_offsets", let value):
                guard let ends = naturals(value), ends.count == 2, ends[0] <= ends[1] else {
                    throw fault("data_offsets must be two integers, 0 <= begin <= end, found \(value.summary)")
                }
                offsets = ends
            default: throw fault("unknown field \"\(field.key)\"; expected dtype, shape and data_offsets")
            }
        }
        guard let type else { throw fault("dtype is missing") }
        guard let shape else { throw fault("shape is missing") }
        guard let offsets else { throw fault("data_offsets is missing") }
        guard let bytes = TensorEntry.byteCount(type: type, shape: shape) else {
            throw fault("shape \(shape) of \(type.rawValue) overflows 64 bits")
        }
        guard bytes == offsets[1] - offsets[0] else {
            throw fault(
                "shape \(shape) of \(type.rawValue) takes \(bytes) bytes, "
                    + "but data_offsets \(offsets) hold \(offsets[1] - offsets[0])")
        }
        return TensorEntry(name: member.key, type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    private static func naturals(_ value: JSONValue) -> [Int]? {
        guard case .array(let elements) = value else { return nil }
        var numbers: [Int] = []
        for element in elements {
            guard let number = element.integer, number >= 0 else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// The tensors, by offset, must tile the buffer: no hole, no overlap, nothing left.
    private static func checkCoverage(_ entries: [TensorEntry], bufferSize: Int, file: String) throws {
        var covered = 0
        let ordered = entries.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for entry in ordered {
            let begin = entry.range.lowerBound
            guard begin == covered else {
                let kind = begin > covered ? "leaves a hole after" : "overlaps"
                throw SafetensorsError(
                    file: file, tensor: entry.name,
                    reason: "data_offsets begin at \(begin), which \(kind) the tensors before it, ending at \(covered)")
            }
            guard entry.range.upperBound <= bufferSize else {
                throw SafetensorsError(
                    file: file, tensor: entry.name,
                    reason: "data_offsets end at \(entry.range.upperBound), but the buffer has \(bufferSize) bytes: "
                        + "the file is cut off")
            }
            covered = entry.range.upperBound
        }
        guard covered == bufferSize else {
            throw SafetensorsError(
                file: file, reason: "the tensors end at byte \(covered) of the buffer, which has \(bufferSize) bytes")
        }
    }
}
