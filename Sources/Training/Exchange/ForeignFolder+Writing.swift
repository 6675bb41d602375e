import Checkpoints
import Files
import Model
import Pipeline

extension ForeignFolder {
    /// The form of this name that an architecture has.
    package static func form(_ name: String, of architecture: any Architecture.Type) throws -> ForeignForm {
        let forms = architecture.foreignForms
        guard let form = forms.first(where: { $0.name == name }) else {
            let known = forms.map { "\"\($0.name)\"" }.joined(separator: ", ")
            throw ModelFileError(
                "no format \(Shown.quoted(name)) for a \(architecture.name): "
                    + (forms.isEmpty ? "leave it out" : "expected \(known), or leave it out for gecko's own"))
        }
        return form
    }

    /// Whether a model could be written into a folder, which may be missing: to be known before long work.
    /// - Throws: for a folder that holds a model already, unless `overwrite` says that it may go
    package static func check(_ path: String, overwrite: Bool) throws {
        guard !overwrite else { return }
        for name in [descriptionName, SafetensorsFolder.fileName, SafetensorsFolder.indexName] {
            guard Folder.size(ofFile: "\(path)/\(name)") == nil else {
                throw FileError(
                    path: path, operation: "write a model into this folder",
                    reason: "it holds a \(name) already: give another name, or --overwrite to lose it")
            }
        }
    }

    /// Writes a folder: the tensors as they come, the description last.
    final class Writer: ModelWriter {
        private let path: String
        private let file: SafetensorsWriter
        private let tensors: [String: ForeignTensor]
        private let description: ForeignDescription
        private var digest = ParameterDigest()

        init(path: String, form: ForeignForm, pipeline: PipelinePlan, configuration: RunConfiguration) throws {
            self.path = path
            let model = pipeline.model
            let tensors = form.tensors(of: model)
            self.tensors = Dictionary(uniqueKeysWithValues: tensors.map { ($0.spec.name, $0) })
            description = form.description(
                of: model, sequence: configuration.data.sequence, place: "\(path)/\(ForeignFolder.descriptionName)")
            try Folder.make(path)
            file = try SafetensorsWriter(
                "\(path)/\(SafetensorsFolder.fileName)", tensors.map { .init($0.name, .float32, $0.spec.shape) },
                // The library refuses a file that doesn't name a framework.
                metadata: ["format": "pt"])
        }

        func take(_ spec: ParameterSpec, bytes: UnsafeRawBufferPointer) throws {
            guard let tensor = tensors[spec.name] else {
                throw ModelFileError("\(path): '\(spec.name)' has no name in this form")
            }
            try Finite.check(bytes, of: spec.name, in: "")
            digest.update(bytes)
            let own = [Float](unsafeUninitializedCapacity: spec.count) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                count = spec.count
            }
            try file.write(tensor.name, tensor.foreign(own))
        }

        func finish() throws -> String {
            try file.finish()
            try SmallFile.write(description.json, to: description.place)
            return digest.hex()
        }
    }
}
