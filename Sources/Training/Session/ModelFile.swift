import Checkpoints
import Files
import Model
import Pipeline

/// A trained model in one safetensors file: tensors under the reference implementation's names, the resolved
/// configuration in the metadata.
package enum ModelFile {
    /// The metadata key of the resolved configuration, as TOML.
    package static let configurationKey = "gecko.configuration"

    /// Writes tensors as they come and takes the digest of all of them: every parameter in the model's order,
    /// little-endian float32.
    final class Writer: ParameterSink, ModelWriter {
        private let file: SafetensorsWriter
        private var digest = ParameterDigest()

        init(path: String, pipeline: PipelinePlan, configuration: RunConfiguration) throws {
            file = try SafetensorsWriter(
                path, pipeline.savedParameters.map { .init($0.name, .float32, $0.shape) },
                metadata: ["format": "gecko", ModelFile.configurationKey: configuration.toml()])
        }

        func take(_ spec: ParameterSpec, _ values: UnsafeBufferPointer<Float>) throws {
            try take(spec, bytes: UnsafeRawBufferPointer(values))
        }

        func take(_ spec: ParameterSpec, bytes: UnsafeRawBufferPointer) throws {
            try Finite.check(bytes, of: spec.name, in: "")
            digest.update(bytes)
            try file.write(spec.name, bytes)
        }

        /// Makes the file durable and returns the digest in hexadecimal.
        func finish() throws -> String {
            try file.finish()
            return digest.hex()
        }
    }

    /// Reads tensors by name.
    package struct Source: ParameterSource, Sendable {
        private let file: SafetensorsFile

        package init(_ file: SafetensorsFile) { self.file = file }

        package func copy(_ spec: ParameterSpec, into values: UnsafeMutableBufferPointer<Float>) throws {
            try file.requireFloats(spec.name, shape: spec.shape)
            try file.withBytes(spec.name) {
                try Finite.check($0, of: spec.name, in: file.path)
                UnsafeMutableRawBufferPointer(values).copyMemory(from: $0)
            }
        }
    }

    /// The configuration that a model file was trained with.
    package static func configuration(of file: SafetensorsFile) throws -> RunConfiguration {
        guard let text = file.metadata[configurationKey] else {
            throw ModelFileError(
                """
                \(file.path) doesn't say which model it holds (metadata '\(configurationKey)' is missing): give a \
                model.safetensors that gecko train wrote
                """
            )
        }
        return try RunConfiguration.parse(toml: text, file: file.path)
    }
}

extension RunConfiguration {
    /// Lays the model on a single rank, whatever it was trained on; its text is not read.
    package mutating func useOneRank() {
        data.separator = ""
        pipeline = PipelineSection()
        training.batch = 1
    }
}

package struct ModelFileError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
