"""The page: choose an image and operations, watch the job, see the result and save it.

It talks to the service through `tessera_client` only. ``streamlit run frontend_streamlit/app.py`` starts it.
"""
