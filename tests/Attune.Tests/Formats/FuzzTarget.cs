using Attune.Checkpoints;
using Attune.Cli;
using Attune.Cli.Answers;
using Attune.Cli.Reports;
using Attune.Datasets;
using Attune.Formats;
using Attune.Inference;
using Attune.Models;
using Attune.Parquet;
using Attune.Tests.Datasets;
using Attune.Tests.Tokenization;
using Attune.Tokenization;
using static Attune.Tests.Formats.TorchFiles;
using Encoding = System.Text.Encoding;

namespace Attune.Tests.Formats;

/// <summary>A kind of file that comes from anywhere, and how to open it.</summary>
/// <param name="Name">The kind, as ATTUNE_FUZZ names it.</param>
/// <param name="Seeds">Sound files.</param>
/// <param name="Pieces">What the format is made of.</param>
/// <param name="Count">Changed files in a usual run of the tests.</param>
/// <param name="Open">Opens a file and reads all of it; throws an <see cref="AttuneException"/> where it is refused. The folder is there for files.</param>
internal sealed record FuzzTarget(string Name, byte[][] Seeds, string[] Pieces, int Count, Action<byte[], TemporaryFolder> Open)
{
    /// <summary>Bytes that opening a file may allocate whatever its size, and for each of its bytes.</summary>
    internal (long Floor, long PerByte) Allocation { get; init; } = (4 << 20, 4096);

    /// <summary>The largest share of changed files that may still be sound: where much is checked, few are.</summary>
    internal double MostSound { get; init; } = 1;

    // The most seen in 2.5 million mutations of these seeds of 300 to 1100 bytes was 15.7 KB (20.6 KB with the zip file that the test
    // builds), nearly all of it an exception with its trace and message.
    private static readonly (long, long) WeightAllocation = (16 << 10, 16);

    // Opcodes of every protocol, allowed or not.
    private const string Opcodes = "\u0080\u0095\u0096().0NKMJGXUTSVIFLcioQPRbaestudhjgqrp]}\u0081\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008d\u0093\u0094";

    private static readonly string[] Json =
    [
        "\"", "{", "}", "[", "]", ",", ":", "0", "-1", "1e3", "1e999", "1.0", "null", "true", "NaN", "-Infinity", "\\u0000", "\\ud800", "[[[[", "{\"a\":", "18446744073709551615",
        "9223372036854775807", "4611686018427387904", "1e-400", "/*", "\uFEFF", "\\", "\u00ff\u00fe", "\"label\":", "\n",
    ];

    internal static readonly FuzzTarget[] All =
    [
        new("safetensors", [Tensors()], [.. Json, "\"F64\"", "\"F4\"", "\"dtype\":", "\"shape\":[", "\"data_offsets\":[0,0]", "\"__metadata__\":{"], 110_000,
            (bytes, _) => ReadAll(SafeTensors.Open(MappedFile.Of("w", bytes)), bytes.Length)) { Allocation = WeightAllocation, MostSound = 0.1 },
        new("torch", [File(SoundPickle(), new byte[24], new byte[4])], ["PK\u0001\u0002", "PK\u0003\u0004", "PK\u0005\u0006", "PK\u0006\u0006", "PK\u0006\u0007", "m/data.pkl"], 40_000,
            (bytes, _) => ReadAll(PickleWeights.Open(TorchFile.Open(MappedFile.Of("w", bytes))), bytes.Length)) { Allocation = WeightAllocation, MostSound = 0.1 },
        new("pickle", [SoundPickle()],
            [
                .. Opcodes.Select(opcode => opcode.ToString()), .. Opcodes.Select(opcode => new string(opcode, 40)), OrderedDict(),
                Global("os", "system"), Global("torch", "LongStorage"), Long(long.MaxValue), Long(-1), Tuple(1, 2), Storage("FloatStorage", 0, 6),
                Text("0"), "\u0080\u0004", "X\u00ff\u00ff\u00ff\u00ff", "\u008b\u00ff\u00ff\u00ff\u007f", "j\u00ff\u00ff\u00ff\u00ff",
            ], 100_000,
            (bytes, _) => ReadAll(PickleWeights.Open(TorchFile.Open(MappedFile.Of("w", File(bytes, new byte[24], new byte[4])))), bytes.Length + 1024))
            { Allocation = (32 << 10, 16), MostSound = 0.1 },
        new("json", [Utf8("{\"a\": [1, -2.5e3, true, null, NaN, \"é\\u00e9\\ud83d\\ude00\"], \"b\": {\"c\": {\"d\": [[], {}]}}, \"big\": 123456789012345678901234567890}")], Json, 20_000,
            (bytes, _) => PythonJson.Write(PythonJson.Parse(bytes, "f.json"), indent: 2, sortKeys: true)),
        new("config", [Utf8("{\"model_type\": \"bert\", \"vocab_size\": 30522, \"hidden_size\": 128, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"intermediate_size\": 512, " +
            "\"max_position_embeddings\": 512, \"id2label\": {\"0\": \"no\", \"1\": \"yes\"}, \"label2id\": {\"no\": 0, \"yes\": 1}, \"problem_type\": null, \"layer_norm_eps\": 1e-12}"),
            Utf8("{\"model_type\": \"albert\", \"embedding_size\": 16, \"num_hidden_groups\": 2, \"inner_group_num\": 1, \"classifier_dropout_prob\": 0.1, \"num_hidden_layers\": 2}"),
            Utf8("{\"model_type\": \"distilbert\", \"dim\": 16, \"n_heads\": 2, \"sinusoidal_pos_embds\": false}"), Utf8("{\"model_type\": \"roberta\", \"pad_token_id\": 1, \"max_position_embeddings\": 66}"),
            Utf8("{\"model_type\": \"deberta-v2\", \"hidden_size\": 64, \"num_attention_heads\": 2, \"pos_att_type\": [\"p2c\", \"c2p\"], \"position_buckets\": 16, \"conv_kernel_size\": 3}"),
            Utf8("{\"model_type\": \"modernbert\", \"hidden_size\": 64, \"num_attention_heads\": 2, \"local_attention\": 8, \"global_rope_theta\": 160000.0, \"classifier_pooling\": \"mean\"}")],
            Json, 2_000,
            (bytes, folder) => PreTrainedConfig.Load(folder.Write("config.json", bytes))),
        new("prediction_settings", [Utf8("{\"thresholds\": {\"a\": 0.25, \"b\": 1}, \"threshold\": 0.5, \"max_length\": 64, \"long_texts\": \"windows\", \"window_stride\": 16, \"window_pooling\": \"vote\"}")],
            [.. Json, "\"max\"", "\"truncate\""], 2_000,
            (bytes, folder) => PredictionSettings.Load(Path.GetDirectoryName(folder.Write("settings/attune_prediction.json", bytes))!)),
        new("answer_journal", [Utf8("{\"rows\": 512, \"input_sha256\": \"00ff\", \"texts_cut\": 0, \"abstained\": 2, \"bytes\": 12345, \"sha256\": \"00ff\", \"model_sha256\": \"00ff\", \"options\": {\"top_k\": null, \"threshold\": \"0.5\"}}")],
            Json, 2_000, (bytes, folder) => AnswerJournal.Load(folder.Write("answers.partial.json", bytes))),
        new("adapter_config", [Utf8("{\"peft_type\": \"LORA\", \"r\": 8, \"lora_alpha\": 16, \"lora_dropout\": 0.1, \"target_modules\": [\"query\", \"value\"], \"bias\": \"none\", \"modules_to_save\": [\"classifier\"], " +
            "\"rank_pattern\": {\"layer.[0-3].*query\": 2}, \"alpha_pattern\": {}, \"task_type\": \"SEQ_CLS\", \"use_rslora\": false, \"layers_to_transform\": null}"),
            Utf8("{\"peft_type\": \"LORA\", \"target_modules\": \".*layer\\\\.(0|1)\\\\..*(query|key)\", \"exclude_modules\": null}")], [.. Json, "(", ")*", "{9999}", "(?=", "\\\\1"], 2_000,
            (bytes, folder) => LoraConfig.Load(folder.Write("adapter_config.json", bytes)).Adapts("bert.encoder.layer.0.attention.self.query")),
        new("trainer_state", [Utf8(PythonJson.Write(TrainerStateJson.ToJson(new TrainerState()))), Utf8("""
            {"best_metric": 0.5, "epoch": 1.0, "global_step": 5, "logging_steps": 500, "eval_steps": 500, "save_steps": 500, "max_steps": 10, "num_train_epochs": 2,
             "total_flos": 1e9, "train_batch_size": 8, "log_history": [{"loss": 1.5, "step": 3, "epoch": 0.5}, {"eval_loss": NaN, "step": 5}], "stateful_callbacks": {"a": {"args": []}}}
            """)], Json, 2_000,
            (bytes, folder) => TrainerStateJson.Read(Path.GetDirectoryName(folder.Write("state/trainer_state.json", bytes))!)),
        new("predictions", [Utf8("""
            {"index":0,"label":"a","prediction":"b","probabilities":{"a":0.25,"b":0.75}}
            {"index":1,"label":null,"prediction":"a","probabilities":{"a":1,"b":0}}
            """), Utf8("""{"index":0,"label":["a"],"prediction":[],"probabilities":{"a":0.25,"b":0.5}}"""), Utf8("""{"index":0,"label":1.5,"prediction":2}""")],
            [.. Json, "\"label\":", "\"probabilities\":{"], 2_000,
            (bytes, folder) => RunPredictions.Read(Path.GetDirectoryName(folder.Write("run/eval_predictions.jsonl", bytes))!)),
        new("run_record", [Utf8("""
            {"machine": {"attune": "1", "memory": "24 GiB"}, "model": {"from": "a", "commit": null, "parameters": 12, "layers": 2, "hidden_size": 8, "max_length": 16, "is_adapter": false, "adapter_of": null},
             "data": {"name": "d", "commit": null, "task": "regression", "text_columns": ["text"], "label_column": "label", "files": [{"name": "f", "bytes": 3, "sha256": "00"}],
              "splits": [{"name": "train", "texts": 2, "sha256": "00", "mean_tokens": 3.5, "longest_tokens": 4, "labels": {"a": 1}, "numbers": {"mean": 1, "lowest": 0.5, "highest": 2}}]}}
            """)], [.. Json, "\"splits\":", "\"texts\":"], 2_000,
            (bytes, folder) => RunRecord.Read(Path.GetDirectoryName(folder.Write("run/attune_run.json", bytes))!)),
        new("tokenizer", [TokenizerFile("tokenizer.json")], [.. Json, "\"BertNormalizer\"", "\"added_tokens\":", "\"vocab\":{", "\"[UNK]\"", "\"special_tokens\":"], 2_000,
            (bytes, folder) => Encode(Path.GetDirectoryName(folder.Write("tokenizer/tokenizer.json", bytes))!)),
        new("tokenizer_config", [TokenizerFile("tokenizer_config.json")], [.. Json, "\"added_tokens_decoder\":{", "\"model_max_length\":"], 2_000,
            (bytes, folder) => Encode(WithVocabulary(folder, "tokenizer_config.json", bytes))),
        new("tokenizer_bpe", [Utf8(Bpe)], [.. Json, "\"ByteLevel\"", "\"merges\":[", "\"vocab\":{", "[\"t\",\"h\"]", "\u0120t h", "\"RobertaProcessing\"", "\"ignore_merges\":true,"], 2_000,
            (bytes, folder) => Encode(Path.GetDirectoryName(folder.Write("bpe/tokenizer.json", bytes))!)),
        new("tokenizer_unigram", [Utf8(Unigram.Replace("NORMALIZER", Normalizers, StringComparison.Ordinal)), Utf8(Unigram.Replace("NORMALIZER", Charsmap, StringComparison.Ordinal))],
            [.. Json, "\"unk_id\":", "\"vocab\":[", "[\"t\",-1.5]", "\"Metaspace\"", "\"always\"", "\u2581", "\"Precompiled\"", "AAAA", "\"Regex\": \" {2,}\"", "\"NFKD\""], 2_000,
            (bytes, folder) => Encode(Path.GetDirectoryName(folder.Write("unigram/tokenizer.json", bytes))!)),
        new("vocab_json", [Utf8(BpeVocabulary)], [.. Json, "\u0120", "\"<s>\":", "\"th\":"], 2_000, (bytes, folder) => Encode(Pair(folder, "vocab", bytes, Utf8(Merges)))),
        new("merges", [Utf8(Merges)], [" ", "\n", "\r", "#version: 0.2", "\u0120", "t h", "th e", "\0", "\uFEFF", "\u00ff\u00fe", "\n\n"], 2_000,
            (bytes, folder) => Encode(Pair(folder, "merges", Utf8(BpeVocabulary), bytes))),
        new("csv", [Utf8("text,label\n\"a, \"\"b\"\"\nc\",1\nplain é中😀,0\nx,1\n"), Utf8("id;text;label\r\n1;good;yes\r\n\r\n2;bad;no\r\n")],
            [",", ";", "\t", "\"", "\"\"", "\n", "\r", "\r\n", "\n\n", "\uFEFF", "\0", "\u00ff\u00fe", "1e999", "-1", "4294967295", "NaN", ",,,,", "\u00ed\u00a0\u0080"], 3_000, (bytes, folder) => Rows(folder.Write("f.csv", bytes))),
        new("tsv", [Utf8("text\tlabel\n\"a\tb\"\t1\nplain \"é中😀\t0\nx\t1\n"), Utf8("gj04\t1\t\tThey drank.\ngj05\t0\t*\tThey\n")],
            ["\t", "\"", "\"\"", "\n", "\r", "\r\n", "\n\n", "\uFEFF", "\0", "\u00ff\u00fe", "\t\t\t"], 3_000, (bytes, folder) => Rows(folder.Write("f.tsv", bytes))),
        new("jsonl", [Utf8("{\"text\": \"a\", \"label\": 1, \"tags\": [\"x\"], \"n\": 1.5}\n{\"text\": \"é中😀\", \"label\": 0, \"tags\": [], \"n\": null}\n")], Json, 3_000, (bytes, folder) => Rows(folder.Write("f.jsonl", bytes))),
        new("json_rows", [Utf8("[{\"text\": \"a\", \"label\": \"x\"}, {\"text\": \"é中😀\", \"label\": \"y\", \"more\": {\"a\": [1]}}]"), Utf8("{\"data\": [{\"text\": \"a\", \"label\": \"x\"}]}")], Json, 3_000,
            (bytes, folder) => Rows(folder.Write("f.json", bytes))),
        new("card", [Utf8("---\nlicense: mit\nconfigs:\n- config_name: a\n  data_files:\n  - split: train\n    path: \"*.csv\"\n  - {split: test, path: [t.csv, 'u*.csv']}\n- config_name: default\n  data_files: train.csv\n" +
            "dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n          '0': no\n          '1': \"yes\"\n  splits:\n  - name: train\n    num_examples: 2\n---\n# Card\n")],
            ["- ", "  ", "\n", ": ", "[", "]", "{", "}", "'", "\"", "|", ">", "&a ", "*a", "!!binary ", "---", "...", "#", "? ", "**", "..", "/", "%", "\t", "\u0000", "\uFEFF", "<<: "], 3_000,
            (bytes, folder) =>
            {
                folder.Write("card/train.csv", Utf8("text,label\na,0\nb,1\n"));
                folder.Write("card/README.md", bytes);
                DatasetDict.Load(Path.Combine(folder.Path, "card"), new() { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 1, Warn = line => Assert.NotEmpty(line) });
            }),
        new("parquet", ParquetFiles.Samples(), ["PAR1", "\u0015", "\u0000\u0000\u0000\u0000", "\u00ff\u00ff\u00ff\u00ff\u000f"], 300, (bytes, folder) => ParquetDataset.Read(folder.Write("f.parquet", bytes), new() { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 1 })),
    ];

    private const string BpeVocabulary =
        """{"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "t": 4, "h": 5, "e": 6, "x": 7, "\u0120": 8, "th": 9, "the": 10, "\u0120t": 11, "<mask>": 12}""";

    private const string Merges = "#version: 0.2\nt h\nth e\n\u0120 t\n";

    private const string Bpe = """
        {"version": "1.0", "truncation": null, "padding": null,
         "added_tokens": [{"id": 12, "content": "<mask>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}],
         "normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
         "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": true, "add_prefix_space": false},
         "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
         "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false,
          "ignore_merges": false, "vocab":
        """ + BpeVocabulary + """
        , "merges": ["t h", ["th", "e"], "\u0120 t"]}}
        """;

    private const string Unigram = """
        {"added_tokens": [{"id": 4, "content": "<mask>", "lstrip": true, "special": true}],
         "normalizer": NORMALIZER,
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true}]},
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
          "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
          "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}},
         "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true},
         "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": false, "vocab": [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["<mask>", 0.0],
          ["\u2581", -2.5], ["\u2581t", -3.25], ["h", -4.5e0], ["e", -5], ["\u2581the", -6.125], ["t", -7]]}}
        """;

    private const string Normalizers = """
        {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "``"}, "content": "x"}, {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"},
          {"type": "Strip", "strip_left": false, "strip_right": true}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}
        """;

    // A table of SentencePiece's with a trie of two units and a text.
    private const string Charsmap = """{"type": "Precompiled", "precompiled_charsmap": "CAAAAAAEAAAAAQAAeAA="}""";

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Tensors() => SafeTensorsTests.Bytes(
    [
        TensorToWrite.Of("w.one", WeightType.F32, [2, 3], new float[6]),
        TensorToWrite.Of("half", WeightType.F16, [], new Half[1]),
        TensorToWrite.Of("empty", WeightType.I64, [0], Array.Empty<long>()),
        TensorToWrite.Of("é", WeightType.U8, [5], new byte[5]),
    ], new Dictionary<string, string> { ["format"] = "pt" });

    private static byte[] SoundPickle() => Pickle(Prologue, OrderedDict(), "q\0(",
        Text("w"), Tensor(Storage("FloatStorage", 0, 6), 0, [2, 3], [3, 1]), "q\u0001",
        Text("turned"), Tensor(Storage("FloatStorage", 0, 6), 0, [3, 2], [1, 3]), "r\u0002\0\0\0",
        Text("count"), Tensor(Storage("IntStorage", 1, 1), 0, [], []), "u}(", Text("_metadata"), "](K\u0001M\u0002\0eub.");

    /// <summary>Reads all tensors, none of which can be larger than the file that holds it.</summary>
    internal static void ReadAll(WeightFile file, long length)
    {
        using (file)
            foreach (var entry in file.Entries)
            {
                Assert.InRange(entry.ByteCount, 0, length);
                file.Read(entry, new byte[entry.ByteCount]);
            }
    }

    private static void Rows(string path)
    {
        var reading = new DatasetReadOptions { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 1 };
        var data = DatasetDict.FromFiles(train: path, options: reading);
        var columns = ClassificationColumns.Find(data, new() { Reading = reading });
        columns.Rows(data["train"], "train");
        foreach (var line in TextChecks.Of(data, columns)) Assert.NotEmpty(line);
    }

    private static byte[] TokenizerFile(string name)
    {
        using var folder = new TemporaryFolder();
        BertTokenizer.FromVocabulary([.. TestVocabulary.Mini.Take(40)]).Save(folder.Path);
        return System.IO.File.ReadAllBytes(Path.Combine(folder.Path, name));
    }

    private static string WithVocabulary(TemporaryFolder folder, string name, byte[] bytes)
    {
        folder.Write("configured/vocab.txt", string.Join('\n', TestVocabulary.Mini.Take(40)));
        return Path.GetDirectoryName(folder.Write("configured/" + name, bytes))!;
    }

    private static string Pair(TemporaryFolder folder, string name, byte[] vocabulary, byte[] merges)
    {
        folder.Write($"{name}/merges.txt", merges);
        return Path.GetDirectoryName(folder.Write($"{name}/vocab.json", vocabulary))!;
    }

    private static void Encode(string folder) => Tokenizer.FromPretrained(folder).Encode("the é 中 [SEP] text 😀", "pair", new EncodeOptions { MaxLength = 16, Truncation = TruncationStrategy.LongestFirst });
}
