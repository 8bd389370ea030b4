"""Named targets: the stages one can ask for.

cohort, preprocess, quality, train, encode, analyse, age, volumes, bids, report, predict, all
"""


localrules:
    all,
    cohort,
    preprocess,
    quality,
    train,
    encode,
    analyse,
    age,
    volumes,
    bids,
    predict,
    report,


rule cohort:
    """Read, check and split the scans."""
    input:
        results("cohort/scans.tsv"),


rule preprocess:
    """Bring every scan to MNI space, stripped and normalised."""
    input:
        results("preprocess/qc.tsv"),
        results("preprocess/contract.json"),


rule quality:
    """Build the page on which a person goes through the scans."""
    input:
        results("report/qc.html"),


rule train:
    """Train every autoencoder."""
    input:
        expand(results("autoencoder/{model}/model.safetensors"), model=MODELS),


rule encode:
    """Encode every scan with every autoencoder."""
    input:
        expand(results("latents/{model}/latents.npz"), model=MODELS),
        expand(results("autoencoder/{model}/reconstruction_summary.tsv"), model=MODELS),


rule analyse:
    """Reduce the latents and evaluate every task."""
    input:
        results("cohort/site_audit.tsv"),
        expand(results("analysis/{model}/pca.tsv"), model=MODELS),
        expand(results("analysis/{model}/umap.tsv"), model=MAPPED_MODELS),
        expand(results("analysis/{model}/separation.tsv"), model=MODELS),
        ERROR_MAPS,
        expand(results("analysis/{model}/directions.tsv"), model=MODELS),
        HEAD_TABLES,
        expand(
            results("analysis/{model}/tasks/{task}/metrics.tsv"),
            model=MODELS,
            task=TASKS,
        ),


rule predict:
    """Forecast the scans of predict.requests; without it, later scans of held-out people."""
    input:
        predictions,


rule volumes:
    """Measure regional volumes of all scans, their norms, and errors of reconstructions."""
    input:
        results("volumes/volumes.tsv"),
        results("volumes/rates.tsv"),
        results("volumes/site_steps.tsv"),
        results("analysis/norms.tsv"),
        results("analysis/rate_norms.tsv"),
        expand(results("autoencoder/{model}/volume_error.tsv"), model=MODELS),
        expand(results("analysis/{model}/anomaly.tsv"), model=MODELS),


rule age:
    """Judge the forecasts by regional volumes."""
    input:
        expand(results("aging/{model}/errors.tsv"), model=MODELS),
        expand(results("aging/{model}/image_summary.tsv"), model=MODELS),
        expand(results("aging/{model}/linearity.tsv"), model=MODELS),


rule bids:
    """Lay the results out as BIDS derivatives."""
    input:
        results("derivatives"),


rule report:
    """Build the pages: results, quality of the scans, viewer."""
    input:
        results("report/index.html"),
        results("report/qc.html"),
        results("report/viewer.html"),
