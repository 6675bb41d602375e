/// A Llama as the transformers library keeps it (LlamaConfig, LlamaForCausalLM): the same mathematics under other
/// names, with two differences in the numbers. Norm weights have their 1 in them; and rotary turns the pairs
/// (j, j + d/2) of a head, ours (2j, 2j + 1), so that the rows of Wq and Wk stand in another order within each head.
extension LlamaConfiguration {
    package static let foreignForms = [
        ForeignForm("transformers", fields: transformersFields, tensors: transformersTensors) { model, sequence in
            // The library's own defaults name tokens 1 and 2, which are bytes here.
            [
                .init("max_position_embeddings", .integer(sequence)),
                .init("bos_token_id", model.bosID.map { .integer($0) } ?? .null), .init("eos_token_id", .null),
                .init("torch_dtype", .text("float32")),
            ]
        }
    ]

    private static let transformersFields = ForeignForm.Fields(
        mark: .init("model_type", .text("llama"), isRequired: true),
        keys: [
            .init("vocab_size", key: "vocabulary"),
            .init("hidden_size", key: "dim"),
            .init("num_hidden_layers", key: "layers"),
            .init("num_attention_heads", key: "heads"),
            .init("num_key_value_heads", key: "kv_heads", absent: .sameAs("num_attention_heads")),
            .init("intermediate_size", key: "ffn_dim"),
            .init("rms_norm_eps", key: "eps", absent: .value(.number(1e-6))),
            .init(
                "rope_theta", "rope_parameters.rope_theta", "rope_scaling.rope_theta", key: "rope_base",
                absent: .value(.number(10_000))),
            .init("tie_word_embeddings", key: "tie_embeddings", absent: .value(.boolean(false))),
        ],
        fixed: [
            .init("architectures", .list([.text("LlamaForCausalLM")])),
            .init("hidden_act", .text("silu")),
            .init("attention_bias", .boolean(false)),
            .init("mlp_bias", .boolean(false)),
            .init("head_dim") { (model: Self) in .integer(model.headDim) },
            .init("partial_rotary_factor", .number(1), isWritten: false),
            .init("rope_parameters.partial_rotary_factor", .number(1), isWritten: false),
            .init("rope_scaling.rope_type", .text("default"), isWritten: false),
            .init("rope_scaling.type", .text("default"), isWritten: false),
            .init("rope_parameters.rope_type", .text("default"), isWritten: false),
        ],
        silent: [
            "_name_or_path", "attention_dropout", "bos_token_id", "dtype", "eos_token_id", "initializer_range",
            "max_position_embeddings", "pad_token_id", "pretraining_tp", "torch_dtype", "transformers_version",
            "use_cache",
        ],
        closed: ["rope_scaling", "rope_parameters", "quantization_config"])

    private static let transformersTensors = ForeignForm.Tensors<Self>(
        rename: transformersTensor,
        copies: { $0.tieEmbeddings ? ["lm_head.weight": embeddingWeight] : [:] },
        // The angles' frequencies, which older versions of the library saved.
        needless: { $0.hasSuffix(".rotary_emb.inv_freq") })

    /// Names beside the layers; the last parts of names within one.
    private static let transformersNames = [
        embeddingWeight: "model.embed_tokens.weight", "norm.weight": "model.norm.weight",
        "output.weight": "lm_head.weight",
        "attention_norm.weight": "input_layernorm.weight", "attention.wq.weight": "self_attn.q_proj.weight",
        "attention.wk.weight": "self_attn.k_proj.weight", "attention.wv.weight": "self_attn.v_proj.weight",
        "attention.wo.weight": "self_attn.o_proj.weight", "ffn_norm.weight": "post_attention_layernorm.weight",
        "feed_forward.w1.weight": "mlp.gate_proj.weight", "feed_forward.w2.weight": "mlp.down_proj.weight",
        "feed_forward.w3.weight": "mlp.up_proj.weight",
    ]

    @Sendable private static func transformersTensor(_ model: Self, _ spec: ParameterSpec) -> ForeignTensor {
        let layers = "layers."
        let parts = spec.name.split(separator: ".", maxSplits: 2)
        let isInLayer = spec.name.hasPrefix(layers)
        let own = isInLayer ? String(parts[2]) : spec.name
        guard let name = transformersNames[own] else { preconditionFailure("\(spec.name) has no name there") }
        let change: ForeignTensor.Change =
            switch own {
            case "attention.wq.weight": .rows(order: model.halvesOrder(heads: model.heads))
            case "attention.wk.weight": .rows(order: model.halvesOrder(heads: model.keyHeads))
            case _ where own.hasSuffix("norm.weight"): .adds(1)
            default: .none
            }
        return ForeignTensor(spec, name: isInLayer ? "model.\(layers)\(parts[1]).\(name)" : name, change: change)
    }

    /// Where the features of each head stand when the first of all pairs come before the second ones.
    private func halvesOrder(heads: Int) -> [Int] {
        (0..<heads * headDim).map { row in
            let (head, feature) = (row / headDim, row % headDim)
            return head * headDim + feature / 2 + (feature % 2) * (headDim / 2)
        }
    }
}
