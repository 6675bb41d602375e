import Files
import JSON

/// A model's tensors in a folder as the transformers library leaves them: in `model.safetensors`, or in several files
/// of which `model.safetensors.index.json` says which tensor is where. Whichever there is: all headers are read at
/// `init`, the tensors stay on disk until touched.
package final class SafetensorsFolder: Sendable {
    package static let fileName = "model.safetensors"
    package static let indexName = "model.safetensors.index.json"

    package let path: String
    /// All tensors, in the order of the one file or of the index.
    package let names: [String]
    private let files: [String: SafetensorsFile]

    /// - Throws: `FileError` if something cannot be read, `SafetensorsError` for any breach of the formats, also where
    ///   a file lacks what the index says
    package init(_ path: String) throws {
        self.path = path
        let whole = "\(path)/\(Self.fileName)"
        // The library, too, takes it before the index.
        if Folder.size(ofFile: whole) != nil {
            let file = try SafetensorsFile(whole)
            names = file.names
            files = Dictionary(uniqueKeysWithValues: file.names.map { ($0, file) })
            return
        }
        let index = "\(path)/\(Self.indexName)"
        guard Folder.size(ofFile: index) != nil else {
            throw SafetensorsError(
                file: path,
                reason: "the folder has neither \(Self.fileName) nor \(Self.indexName) (files of another kind, such "
                    + "as pytorch_model.bin, are not read)")
        }
        (names, files) = try Self.files(index: index, in: path)
    }

    private static func files(
        index: String, in folder: String
    ) throws -> (names: [String], files: [String: SafetensorsFile]) {
        func fault(_ reason: String) -> SafetensorsError { SafetensorsError(file: index, reason: reason) }
        let root: JSONNode
        do {
            root = try JSONParser.parse(SmallFile.read(index))
        } catch let error as JSONError {
            throw fault("not valid JSON: at \(error)")
        }
        guard case .object(let members)? = root["weight_map"]?.value else {
            throw fault("weight_map is missing: expected an object that maps tensors to files")
        }
        var opened: [String: SafetensorsFile] = [:]
        var files: [String: SafetensorsFile] = [:]
        for member in members {
            // A name with a folder in it could lead anywhere.
            guard let name = member.node.string, !name.isEmpty, !name.contains("/"), name != "..", name != "." else {
                throw fault("weight_map: \"\(member.key)\" is \(member.value.summary); expected a file of this folder")
            }
            let file = try opened[name] ?? SafetensorsFile("\(folder)/\(name)")
            opened[name] = file
            guard file.contains(member.key) else {
                throw SafetensorsError(
                    file: file.path, tensor: member.key, reason: "not in this file, which \(indexName) names for it")
            }
            guard files.updateValue(file, forKey: member.key) == nil else {
                throw fault("weight_map: \"\(member.key)\" is there twice")
            }
        }
        return (members.map(\.key), files)
    }

    package func contains(_ name: String) -> Bool { files[name] != nil }

    /// - Throws: `SafetensorsError` if there is no such tensor.
    package func entry(_ name: String) throws -> TensorEntry { try file(with: name).entry(name) }

    /// The file that holds a tensor.
    package func file(with name: String) throws -> SafetensorsFile {
        guard let file = files[name] else {
            throw SafetensorsError(file: path, tensor: name, reason: "not in this folder of \(names.count) tensors")
        }
        return file
    }
}
