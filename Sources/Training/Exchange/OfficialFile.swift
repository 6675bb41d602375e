import Checkpoints
import Files
import Model
import Pipeline

/// A safetensors file with a model as the architecture's published code keeps it: its state dict, saved as it is. Such
/// a file is known by axes of size 1 that ours doesn't have.
struct OfficialFile {
    private let file: SafetensorsFile
    private let form: OfficialForm
    private let tensors: [ForeignTensor]

    /// Nil where the architecture has no such form, or the file isn't of it.
    init?(_ file: SafetensorsFile, of model: any Architecture) throws {
        guard let form = type(of: model).officialForm else { return nil }
        self.file = file
        self.form = form
        tensors = form.tensors(of: model)
        let isOfficial = try tensors.contains { tensor in
            guard tensor.shape != tensor.spec.shape, let name = found(tensor.name) else { return false }
            return try file.entry(name).shape == tensor.shape
        }
        guard isOfficial else { return nil }
    }

    /// The name that a tensor has in the file: with the form's prefix, or without.
    private func found(_ name: String) -> String? {
        [form.prefix + name, name].first { file.contains($0) }
    }

    /// - Throws: unless all tensors of the model are there, finite, and no others that the form doesn't know
    func check(_ specs: [ParameterSpec], of model: any Architecture) throws {
        let missing = tensors.filter { found($0.name) == nil }.map { form.prefix + $0.name }
        guard missing.isEmpty else {
            throw ModelFileError(
                "\(file.path) has the official form and lacks \(missing.count) of this model's \(tensors.count) "
                    + "tensors, such as '\(missing[0])': is the [model] section that of the file?")
        }
        guard Set(tensors.map(\.spec.name)) == Set(specs.map(\.name)) else {
            preconditionFailure("the official form has other tensors than a \(type(of: model).name)")
        }
        var known: Set<String> = []
        for tensor in tensors {
            let name = found(tensor.name) ?? tensor.name
            known.insert(name)
            try floats(name, shape: tensor.shape).withUnsafeBytes { try Finite.check($0, of: name, in: file.path) }
        }
        for buffer in form.buffers(of: model) {
            guard let name = found(buffer.name) else { continue }
            known.insert(name)
            try check(buffer, as: name)
        }
        let originals = Dictionary(uniqueKeysWithValues: tensors.map { ($0.spec.name, $0) })
        for (copy, original) in form.copies(of: model) {
            guard let name = found(copy), let tensor = originals[original] else { continue }
            known.insert(name)
            let own = found(tensor.name) ?? tensor.name
            guard try floats(name, shape: tensor.shape) == floats(own, shape: tensor.shape) else {
                throw ModelFileError(
                    "\(file.path): '\(name)' isn't the same as '\(own)', but this model ties them")
            }
        }
        let others = file.names.filter { !known.contains($0) }
        guard others.isEmpty else {
            throw ModelFileError(
                "\(file.path) has \(others.count) tensors that this model hasn't, such as '\(others[0])': is the "
                    + "[model] section that of the file?")
        }
    }

    /// A number that the model isn't made of must be the one that ours goes by.
    private func check(_ buffer: OfficialForm.Buffer, as name: String) throws {
        func refuse(_ found: String, _ expected: String) -> ModelFileError {
            ModelFileError(
                "\(file.path): '\(name)' is \(found); expected \(expected), as in every model of this [model] section")
        }
        switch buffer.values {
        case .unused: break
        case .integer(let expected):
            let values = try file.int64s(name)
            guard values == [expected] else { throw refuse("\(values.prefix(4))", "\(expected)") }
        case .floats(let expected):
            let values = try floats(name, shape: buffer.shape)
            // As exact as the type that it is saved in.
            let rounding: Float = try file.entry(name).type == .float32 ? 1e-5 : 1e-2
            guard
                let i = values.indices.first(where: {
                    !(abs(values[$0] - expected[$0]) <= rounding * max(expected[$0], 1e-3))
                })
            else { return }
            throw refuse("\(values[i]) at \(i)", "\(expected[i])")
        }
    }

    private func floats(_ name: String, shape: [Int]) throws -> [Float] {
        let entry = try file.entry(name)
        guard SafetensorsFile.floatTypes.contains(entry.type), entry.shape == shape else {
            throw ModelFileError(
                "\(file.path): tensor '\(name)' is \(entry.type.rawValue) \(entry.shape); this model in the official "
                    + "form has \(shape), in " + SafetensorsFile.floatTypes.map(\.rawValue).joined(separator: ", "))
        }
        return try file.widened(name)
    }

    func visit(_ specs: [ParameterSpec], _ body: (ParameterSpec, UnsafeRawBufferPointer) throws -> Void) throws {
        let own = Dictionary(uniqueKeysWithValues: tensors.map { ($0.spec.name, $0) })
        for spec in specs {
            guard let tensor = own[spec.name], let name = found(tensor.name) else {
                preconditionFailure("\(spec.name) was checked")
            }
            try tensor.own(floats(name, shape: tensor.shape)).withUnsafeBytes { try body(spec, $0) }
        }
    }

    /// Writes such a file: the parameters as they come, then all else.
    final class Writer: ModelWriter {
        private let file: SafetensorsWriter
        private let form: OfficialForm
        private let model: any Architecture
        private let tensors: [String: ForeignTensor]
        private var digest = ParameterDigest()

        /// - Throws: where the architecture has no official form beside ours
        init(path: String, pipeline: PipelinePlan) throws {
            model = pipeline.model
            form = try OfficialFile.form(of: type(of: model))
            let tensors = form.tensors(of: model)
            self.tensors = Dictionary(uniqueKeysWithValues: tensors.map { ($0.spec.name, $0) })
            let prefix = form.prefix
            let originals = self.tensors
            let declarations =
                tensors.map { SafetensorsWriter.Declaration(prefix + $0.name, .float32, $0.shape) }
                + form.copies(of: model).map { .init(prefix + $0.name, .float32, originals[$0.original]?.shape ?? []) }
                + form.buffers(of: model).map { .init(prefix + $0.name, $0.type, $0.shape) }
            file = try SafetensorsWriter(path, declarations, metadata: ["format": "pt"])
        }

        func take(_ spec: ParameterSpec, bytes: UnsafeRawBufferPointer) throws {
            guard let tensor = tensors[spec.name] else {
                throw ModelFileError("\(file.path): '\(spec.name)' has no name in the official form")
            }
            try Finite.check(bytes, of: spec.name, in: "")
            digest.update(bytes)
            let own = [Float](unsafeUninitializedCapacity: spec.count) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = spec.count
            }
            let foreign = tensor.foreign(own)
            try file.write(form.prefix + tensor.name, foreign)
            for copy in form.copies(of: model) where copy.original == spec.name {
                try file.write(form.prefix + copy.name, foreign)
            }
        }

        func finish() throws -> String {
            for buffer in form.buffers(of: model) {
                let name = form.prefix + buffer.name
                switch buffer.values {
                case .integer(let value): try withUnsafeBytes(of: value.littleEndian) { try file.write(name, $0) }
                case .floats(let values): try file.write(name, values)
                case .unused: try file.write(name, [Float](repeating: 0, count: buffer.shape.reduce(1, *)))
                }
            }
            try file.finish()
            return digest.hex()
        }
    }

    static func form(of architecture: any Architecture.Type) throws -> OfficialForm {
        guard let form = architecture.officialForm else {
            throw ModelFileError(
                "no format \"\(OfficialForm.name)\" for a \(architecture.name): gecko's own file has no other; leave "
                    + "--format out")
        }
        return form
    }
}

extension OfficialForm.Buffer {
    fileprivate var type: TensorType {
        if case .integer = values { .int64 } else { .float32 }
    }
}
